/** The link of a grant carries a code that works once. */

/** The code in the address of a link. It is taken out of the address at once, so that it stays in no history. */
export function takeCode(place: Location, history: History): string {
  const code = place.hash.replace(/^#/, '');
  if (code !== '') history.replaceState(null, '', place.pathname);
  return code;
}
