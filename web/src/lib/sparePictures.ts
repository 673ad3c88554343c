/** Pictures that are decoded and on no screen just now. A browser decodes anew for each new image element, which takes a
 * slow machine a tenth of a second for one page; an element that it has decoded is shown again at once. */

/** Of all together: a dozen pages, or the longest strip and some pages. A pixel takes four bytes once it is decoded. */
export const MOST_PIXELS = 32_000_000;

const spare = new Map<string, HTMLImageElement>();
let sparePixels = 0;

const pixelsOf = (image: HTMLImageElement): number => image.naturalWidth * image.naturalHeight;

/** Whether the picture of `url` is here. */
export function isSpare(url: string): boolean {
  return spare.has(url);
}

/** The picture of `url`, which now belongs to whoever took it: an element can be in one place of a page alone. */
export function takeSpare(url: string): HTMLImageElement | undefined {
  const image = spare.get(url);
  if (image !== undefined) {
    spare.delete(url);
    sparePixels -= pixelsOf(image);
  }
  return image;
}

/** Keep a decoded picture for the next time; those that were laid aside before all others go where there are too many. */
export function layAside(url: string, image: HTMLImageElement): void {
  if (spare.has(url) || pixelsOf(image) > MOST_PIXELS) return;
  spare.set(url, image);
  sparePixels += pixelsOf(image);
  for (const oldest of spare.keys()) {
    if (sparePixels <= MOST_PIXELS) break;
    takeSpare(oldest);
  }
}

/** Keep none. */
export function dropSpares(): void {
  spare.clear();
  sparePixels = 0;
}
