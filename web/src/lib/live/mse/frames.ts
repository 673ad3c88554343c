/** Tells which moment of a video each frame on the screen is.
 *
 * By `requestVideoFrameCallback` where the browser has it. Where it has not (Firefox before 132), the cursor is looked at
 * at each repaint: a frame counts when the cursor has moved and, as far as the browser counts them, a frame was decoded
 * since. `mediaTimeS` may then be later than the frame's own by less than a frame.
 */

export interface ShownFrame {
  /** The moment of the media, seconds. */
  mediaTimeS: number;
  /** When it is on the screen, on the clock of `performance.now`. */
  shownAtMs: number;
}

/** Call `onframe` for each frame of `video`; the answer ends it. */
export function watchFrames(video: HTMLVideoElement, onframe: (frame: ShownFrame) => void): () => void {
  return 'requestVideoFrameCallback' in video ? byCallback(video, onframe) : byRepaint(video, onframe);
}

function byCallback(video: HTMLVideoElement, onframe: (frame: ShownFrame) => void): () => void {
  let request = 0;
  const next = (): void => {
    request = video.requestVideoFrameCallback((_, frame) => {
      onframe({ mediaTimeS: frame.mediaTime, shownAtMs: frame.expectedDisplayTime });
      next();
    });
  };
  next();
  return () => video.cancelVideoFrameCallback(request);
}

/** Not of type `HTMLVideoElement`: after the question above TypeScript takes what lacks the callback for impossible. */
function byRepaint(video: HTMLMediaElement, onframe: (frame: ShownFrame) => void): () => void {
  let atS = -1;
  let decoded = -1;
  let request = 0;
  const look = (nowMs: number): void => {
    request = requestAnimationFrame(look);
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.seeking || video.currentTime === atS) return;
    const count = decodedFrames(video);
    if (count !== null && count === decoded) return;
    decoded = count ?? -1;
    atS = video.currentTime;
    onframe({ mediaTimeS: atS, shownAtMs: nowMs });
  };
  request = requestAnimationFrame(look);
  return () => cancelAnimationFrame(request);
}

/** Frames that were decoded so far; null where nobody counts them. */
export function decodedFrames(video: HTMLMediaElement): number | null {
  if (!('getVideoPlaybackQuality' in video)) return null;
  return (video as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames;
}
