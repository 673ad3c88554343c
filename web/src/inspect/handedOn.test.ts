import { afterEach, expect, it, vi } from 'vitest';
import { HandedOn } from './handedOn';

afterEach(() => vi.restoreAllMocks());

function shown(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}

it('gives what a tile showed to the page of its camera, once, and only for a moment', () => {
  const drawImage = vi.fn();
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue({ drawImage } as unknown as null);
  const handed = new HandedOn();
  const tile = shown(640, 360);
  handed.keep('a/1/bench', tile, 0);
  expect(handed.take('a/1/parties', 100)).toBeNull();
  const picture = handed.take('a/1/bench', 100);
  expect([picture?.width, picture?.height]).toEqual([640, 360]);
  expect(drawImage).toHaveBeenCalledWith(tile, 0, 0);
  expect(handed.take('a/1/bench', 100)).toBeNull();
  handed.keep('a/1/bench', tile, 0);
  expect(handed.take('a/1/bench', 60_000)).toBeNull();
});

it('keeps nothing of a room that may not be seen any more, nor a picture that has not come', () => {
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue({ drawImage: vi.fn() } as unknown as null);
  const handed = new HandedOn();
  handed.keep('a/1/bench', shown(640, 360), 0);
  handed.forget('a/10');
  handed.forget('a/1');
  expect(handed.take('a/1/bench', 1)).toBeNull();
  handed.keep('a/1/bench', shown(0, 0), 0);
  expect(handed.take('a/1/bench', 1)).toBeNull();
});
