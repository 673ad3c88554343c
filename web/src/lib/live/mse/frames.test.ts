import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ShownFrame, watchFrames } from './frames';

/** A video whose cursor and decoder the test moves. */
class Playing {
  currentTime = 0;
  readyState = 4;
  seeking = false;
  frames = 0;
  getVideoPlaybackQuality = (): { totalVideoFrames: number } => ({ totalVideoFrames: this.frames });

  show(atS: number): void {
    this.currentTime = atS;
    this.frames += 1;
  }
}

let repaints: ((nowMs: number) => void)[] = [];
const repaint = (nowMs: number): void => repaints.splice(0).forEach((one) => one(nowMs));
const watched = (video: object, into: ShownFrame[]): (() => void) => watchFrames(video as HTMLVideoElement, (frame) => into.push(frame));

beforeEach(() => {
  repaints = [];
  vi.stubGlobal('requestAnimationFrame', (one: (nowMs: number) => void) => repaints.push(one));
  vi.stubGlobal('cancelAnimationFrame', () => (repaints = []));
});
afterEach(() => vi.unstubAllGlobals());

it('sees each frame of a browser without the callback, once', () => {
  const video = new Playing();
  const frames: ShownFrame[] = [];
  const end = watched(video, frames);
  video.show(1);
  repaint(16);
  repaint(32);
  video.show(1.04);
  repaint(48);
  expect(frames).toEqual([{ mediaTimeS: 1, shownAtMs: 16 }, { mediaTimeS: 1.04, shownAtMs: 48 }]);
  end();
  video.show(1.08);
  repaint(64);
  expect(frames).toHaveLength(2);
});

it('takes neither a cursor that moves without pictures nor a seek for a frame', () => {
  const video = new Playing();
  const frames: ShownFrame[] = [];
  watched(video, frames);
  video.show(1);
  repaint(16);
  video.currentTime = 1.5;
  repaint(32);
  video.show(2);
  video.seeking = true;
  repaint(48);
  video.seeking = false;
  video.readyState = 1;
  repaint(64);
  expect(frames).toHaveLength(1);
});

it('goes by the cursor alone where nobody counts frames', () => {
  const video: object = { currentTime: 3, readyState: 4, seeking: false };
  const frames: ShownFrame[] = [];
  watched(video, frames);
  repaint(16);
  expect(frames).toEqual([{ mediaTimeS: 3, shownAtMs: 16 }]);
});

it('asks the browser where it can', () => {
  const asked: ((now: number, frame: object) => void)[] = [];
  const frames: ShownFrame[] = [];
  const ended: number[] = [];
  const video = { requestVideoFrameCallback: (one: (typeof asked)[0]) => asked.push(one), cancelVideoFrameCallback: (id: number) => ended.push(id) };
  const end = watched(video, frames);
  asked[0]?.(5, { mediaTime: 7, expectedDisplayTime: 9 });
  expect([frames, asked.length, repaints.length]).toEqual([[{ mediaTimeS: 7, shownAtMs: 9 }], 2, 0]);
  end();
  expect(ended).toEqual([2]);
});
