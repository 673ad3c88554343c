/** A line that a search found, cut into the searched words and the text around them. */

import { fold, foldWithPlaces } from '../lib/fold';

export interface SnippetPart {
  text: string;
  hit: boolean;
}

/** `text` in parts; every occurrence of a word of `q` is a hit, compared as the search does. Nothing is lost or added. */
export function highlight(text: string, q: string): SnippetPart[] {
  const words = q.split(/\s+/).map(fold).filter(Boolean);
  const folded = foldWithPlaces(text);
  const parts: SnippetPart[] = [];
  let from = 0;
  let shown = 0;
  while (words.length > 0 && from < folded.text.length) {
    let at = -1;
    let length = 0;
    for (const word of words) {
      const found = folded.text.indexOf(word, from);
      if (found >= 0 && (at < 0 || found < at || (found === at && word.length > length))) {
        at = found;
        length = word.length;
      }
    }
    if (at < 0) break;
    const begins = Math.max(folded.from[at] ?? shown, shown);
    const ends = folded.to[at + length - 1] ?? shown;
    if (begins > shown) parts.push({ text: text.slice(shown, begins), hit: false });
    if (ends > begins) parts.push({ text: text.slice(begins, ends), hit: true });
    shown = Math.max(ends, shown);
    from = at + length;
  }
  if (shown < text.length) parts.push({ text: text.slice(shown), hit: false });
  return parts;
}
