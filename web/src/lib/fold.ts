/**
 * What counts as the same text when something is looked for: case, width, blanks, middle dots and kinds of brackets do
 * not. The server does the same (`sync/text/equal.py`); both are held to `fold.examples.json`.
 */

const SHAPELESS = /[\p{Cc}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;
const DROPPED = /[\s·\u0387\u1427\u16eb\u2022\u2024\u2027\u2219\u22c5\u25cf\u25e6\u2e30\u2e31\u2e33\u30fb\uff65\uff0e]/gu;
/** Before a digit these are the point of a number: 1．5% is not 15%. */
const POINT = /[\uff0e\u2024](?=(?:(?!\s)[\p{Cc}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb])*\p{Nd})/gu;
const OPENING = /[[{〔【〈《「『〖<﹙❨]/gu;
const CLOSING = /[\]}〕】〉》」』〗>﹚❩]/gu;

export function fold(text: string): string {
  return folded(pointed(text));
}

/** As long as `text`, with the points of numbers as they are typed. */
function pointed(text: string): string {
  return text.replace(POINT, '.');
}

function folded(text: string): string {
  return narrow(text).replace(DROPPED, '').replace(OPENING, '(').replace(CLOSING, ')');
}

function narrow(text: string): string {
  return text.replace(DROPPED, '').replace(SHAPELESS, '').normalize('NFKC').toLowerCase().replace(/ς/g, 'σ').replace(/ß/g, 'ss').normalize('NFKC');
}

export interface Folded {
  text: string;
  /** For each UTF-16 unit of `text`: where the character that it comes from begins and ends in what was folded. */
  from: number[];
  to: number[];
}

/** `text` folded, and where each of its characters came from: a hit is marked in the text as it is written. */
export function foldWithPlaces(text: string): Folded {
  const all: Folded = { text: '', from: [], to: [] };
  let at = 0;
  // A letter and the marks on it are folded as one.
  for (const letter of pointed(text).match(/\P{M}\p{M}*|\p{M}+/gu) ?? []) {
    const piece = folded(letter);
    all.text += piece;
    for (let i = 0; i < piece.length; i++) {
      all.from.push(at);
      all.to.push(at + letter.length);
    }
    at += letter.length;
  }
  return all;
}
