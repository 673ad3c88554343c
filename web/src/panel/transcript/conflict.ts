/** What the clerk wanted, where the room's log did not take it. No state. */

import { flat } from './lineChanges';
import type { Conflict } from './revisionQueue.svelte';

/** What a conflict's acts wanted the line to say, with the words that they put into new lines: none are lost. Null when
 * they changed no words. */
export function wantedText(conflict: Conflict): string | null {
  const texts = flat(conflict.changes).flatMap((change) => {
    if ('new' in change) return [change.new.text];
    return 'set' in change && change.line === conflict.line && change.set.text !== undefined ? [change.set.text] : [];
  });
  return texts.length > 0 ? texts.join('') : null;
}
