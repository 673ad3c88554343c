import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dropSpares, isSpare, layAside, MOST_PIXELS, takeSpare } from './sparePictures';

/** Of so many pixels, in a row. */
function picture(pixels: number): HTMLImageElement {
  const image = new Image();
  vi.spyOn(image, 'naturalWidth', 'get').mockReturnValue(pixels);
  vi.spyOn(image, 'naturalHeight', 'get').mockReturnValue(1);
  return image;
}

beforeEach(dropSpares);
afterEach(() => {
  dropSpares();
  vi.restoreAllMocks();
});

describe('a picture that is laid aside', () => {
  it('belongs to one taker alone', () => {
    const image = picture(1);
    layAside('a', image);
    expect(isSpare('a')).toBe(true);
    expect(takeSpare('a')).toBe(image);
    expect(takeSpare('a')).toBeUndefined();
  });

  it('goes before those that were laid aside after it, where there are too many', () => {
    for (const name of ['a', 'b', 'c']) layAside(name, picture(MOST_PIXELS / 3));
    layAside('d', picture(MOST_PIXELS / 3));
    expect(['a', 'b', 'c', 'd'].filter(isSpare)).toEqual(['b', 'c', 'd']);
    takeSpare('c');
    layAside('e', picture(MOST_PIXELS / 3));
    expect(['b', 'c', 'd', 'e'].filter(isSpare)).toEqual(['b', 'd', 'e']);
  });

  it('does not drive all others out when it is too large for any number', () => {
    layAside('a', picture(1));
    layAside('huge', picture(MOST_PIXELS + 1));
    expect(['a', 'huge'].filter(isSpare)).toEqual(['a']);
  });

  it('is counted once, whoever brings another of it', () => {
    for (let again = 0; again < 10; again++) layAside('a', picture(MOST_PIXELS / 2));
    layAside('b', picture(MOST_PIXELS / 2));
    expect(['a', 'b'].filter(isSpare)).toEqual(['a', 'b']);
  });
});
