/** The picture of a page of an exhibit, from the room. */
export function pictureUrl(exhibit: string, page: number, scale: number): string {
  return `/api/exhibits/${encodeURIComponent(exhibit)}/pages/${page}?scale=${scale}`;
}
