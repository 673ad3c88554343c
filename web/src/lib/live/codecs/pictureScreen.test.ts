import { beforeEach, expect, it } from 'vitest';
import { FakeCanvas, FakeFrame } from './fakeMedia';
import { MOST_PENDING, PictureScreen } from './pictureScreen';

let canvas: FakeCanvas;
let screen: PictureScreen;

function push(...roomMs: number[]): void {
  for (const one of roomMs) {
    const frame = new FakeFrame(one * 1000) as unknown as VideoFrame;
    screen.push({ frame, roomMs: one, utcMs: 0, arrivedMs: 0, live: true, burst: false });
  }
}

beforeEach(() => {
  FakeFrame.open = 0;
  canvas = new FakeCanvas();
  screen = new PictureScreen(canvas as unknown as OffscreenCanvas);
});

it('paints the newest that is due, once, in its own size', () => {
  push(0, 40, 80);
  expect(screen.paint(50)?.roomMs).toBe(40);
  expect(screen.paint(50)).toBeNull();
  expect([canvas.drawn, canvas.width, canvas.height, FakeFrame.open]).toEqual([[40], 640, 360, 1]);
});

it('shows a late picture late, and anything while no time is known', () => {
  push(0);
  expect(screen.paint(5000)?.roomMs).toBe(0);
  push(40, 80);
  expect(screen.paint(null)?.roomMs).toBe(80);
});

it('keeps few pictures: of more the oldest are due at once', () => {
  push(...Array.from({ length: MOST_PENDING + 3 }, (_, n) => n * 40));
  expect(FakeFrame.open).toBe(MOST_PENDING);
  expect(screen.paint(-1000)?.roomMs).toBe(3 * 40);
  expect(screen.paint(-1000)).toBeNull();
  screen.clear();
  expect([FakeFrame.open, screen.waits]).toEqual([0, false]);
});
