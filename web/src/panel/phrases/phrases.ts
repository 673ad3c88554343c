/** Set phrases as the panel finds and inserts them. No state. */

import { fold } from '../../lib/fold';
import type { NewLine } from '../../lib/transcript';
import type { FilledPhrase, Line } from '../../lib/types';
import { leastEnd } from '../transcript/lineChanges';

export type Phrase = FilledPhrase;

export interface PhraseGroup {
  name: string;
  phrases: Phrase[];
}

/** Those that fit the case (or all), in which the letters or characters of `query` occur in their order. */
export function matching(phrases: Phrase[], query: string, all: boolean): PhraseGroup[] {
  const wanted = fold(query);
  const groups = new Map<string, Phrase[]>();
  for (const phrase of phrases) {
    if (!all && !phrase.fits) continue;
    if (wanted && !finds(phrase, wanted)) continue;
    groups.set(phrase.group, [...(groups.get(phrase.group) ?? []), phrase]);
  }
  return [...groups].map(([name, found]) => ({ name, phrases: found }));
}

function finds(phrase: Phrase, wanted: string): boolean {
  if (phrase.initials.includes(wanted)) return true;
  const words = fold(`${phrase.title}${phrase.group}`);
  if (words.includes(wanted)) return true;
  return /\p{Script=Han}{2}/u.test(wanted) && fold(phrase.text).includes(wanted);
}

/** The line that a phrase becomes: after `above`, or placed by its time where there is none. */
export function phraseLine(phrase: Phrase, id: string, above: Line | null, nowMs: number): NewLine {
  const at = above ? above.end_ms : nowMs;
  const { role, seat, text } = phrase;
  return { id, after: above?.id ?? '', seat, role, start_ms: at, end_ms: leastEnd(at), text, source: 'phrase' };
}

/** The place of the first blank, in characters: what must be filled in should be in view. */
export function firstBlank(text: string): { at: number; length: number } | null {
  const found = /_{2,}/.exec(text);
  return found ? { at: [...text.slice(0, found.index)].length, length: found[0].length } : null;
}
