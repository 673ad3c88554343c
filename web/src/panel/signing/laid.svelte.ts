/** The words that a sheet was opened with. Whoever signs has these before them and no others: once they are not the words
 * of now any more, the sheet is of no use, also when they are the same again later. */

import type { SigningState } from '../../lib/types';

type Laid = NonNullable<SigningState['transcript']>;

export class LaidWords {
  /** other words were laid meanwhile, or these were changed */
  gone = $state(false);
  readonly version: Laid | null;

  constructor(version: Laid | null) {
    this.version = version ? { ...version } : null;
    this.gone = !version?.current;
  }

  /** Call it with every news of the signing; true as long as these are the words. */
  look(now: Laid | null): boolean {
    if (!now?.current || now.sha256 !== this.version?.sha256) this.gone = true;
    return !this.gone;
  }
}
