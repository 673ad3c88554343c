/** The version of the transcript that a sheet was opened with. Whoever signs has these words before them and no others:
 * once they are not the current words any more, the sheet is of no use, even when they become current again later. */

import type { SigningState } from '../../lib/types';

type TranscriptVersion = NonNullable<SigningState['transcript']>;

export class SubmittedVersion {
  /** Another version was submitted meanwhile, or the words were changed. */
  gone = $state(false);
  readonly version: TranscriptVersion | null;

  constructor(version: TranscriptVersion | null) {
    this.version = version ? { ...version } : null;
    this.gone = !version?.current;
  }

  /** Compare with what is current now, at every change of the signing; true as long as these are the words. */
  check(current: TranscriptVersion | null): boolean {
    if (!current?.current || current.sha256 !== this.version?.sha256) this.gone = true;
    return !this.gone;
  }
}
