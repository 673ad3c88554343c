/** A line that a search found, cut into the searched words and the text around them. */

export interface SnippetPart {
  text: string;
  hit: boolean;
}

/** `text` in parts; every occurrence of a word of `q` is a hit. Case is ignored; nothing is lost or added. */
export function highlight(text: string, q: string): SnippetPart[] {
  const words = q.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [{ text, hit: false }];
  const lower = text.toLowerCase();
  const parts: SnippetPart[] = [];
  let from = 0;
  while (from < text.length) {
    let at = -1;
    let length = 0;
    for (const word of words) {
      const found = lower.indexOf(word, from);
      if (found >= 0 && (at < 0 || found < at || (found === at && word.length > length))) {
        at = found;
        length = word.length;
      }
    }
    if (at < 0) break;
    if (at > from) parts.push({ text: text.slice(from, at), hit: false });
    parts.push({ text: text.slice(at, at + length), hit: true });
    from = at + length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), hit: false });
  return parts;
}
