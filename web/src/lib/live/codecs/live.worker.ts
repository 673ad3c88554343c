/** The worker's entry. Its clock is that of the page, whose zero is another: both say milliseconds of the same time. */

import { LiveDecoding } from './liveDecoding';
import type { PictureReport, ToWorker } from './workerMessages';

const decoding = new LiveDecoding({
  postMessage: (report: PictureReport) => self.postMessage(report),
  requestAnimationFrame: (call) => void self.requestAnimationFrame(call),
  setInterval: (call, ms) => self.setInterval(call, ms),
  now: () => performance.timeOrigin + performance.now(),
});
self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => decoding.obey(data));
