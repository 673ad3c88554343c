/** A case number that is put together by touch, (2026)黑05民初123号, and the title that a kind of case makes. */

/** Year, court, type word and digits, as far as they stand there. */
const PARTS = /^[(（](\d{4})[)）](最高法|[^\d()（）号][0-9]*)?([^\d号]*)(\d*)号?$/u;

export interface NumberBegin {
  year: number;
  court: string;
  word: string;
}

function split(text: string, begin: NumberBegin): [string, string, string] {
  const found = PARTS.exec(text.trim());
  if (!found) return [`(${begin.year})${begin.court}`, begin.word, ''];
  return [`(${found[1]})${found[2] ?? begin.court}`, found[3] || begin.word, found[4] ?? ''];
}

/** The number with this type word; its digits stay. */
export function withWord(text: string, word: string, begin: NumberBegin): string {
  const [head, , digits] = split(text, begin);
  return `${head}${word}${digits}号`;
}

/** The number with one more digit, at most eight; the first is not 0. */
export function withDigit(text: string, digit: string, begin: NumberBegin): string {
  const [head, word, digits] = split(text, begin);
  const more = `${digits}${digit}`.replace(/^0+/, '').slice(0, 8);
  return `${head}${word}${more}号`;
}

/** The number with its last digit gone. */
export function withoutDigit(text: string, begin: NumberBegin): string {
  const [head, word, digits] = split(text, begin);
  return `${head}${word}${digits.slice(0, -1)}号`;
}

/** Whether only its beginning stands there, which was filled in and nobody typed. */
export function isBegun(text: string): boolean {
  const found = PARTS.exec(text.trim());
  return found !== null && found[4] === '';
}

/** `{原告}诉{被告}{案由}一案` with what is known; a role without a name is left out. */
export function titleOf(pattern: string, parties: Record<string, string>, cause: string): string {
  return pattern.replace(/\{([^{}]*)\}/g, (_, field: string) => (field === '案由' ? cause : (parties[field] ?? '')));
}
