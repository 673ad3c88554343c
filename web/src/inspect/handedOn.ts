/** The small picture that a tile showed when it was opened: it stays on show on the room's page until the large one has come.
 *
 * One at a time, and for a moment: what nobody took up by then is an old picture. What may not be seen any more is let go of.
 */

/** A large picture that takes longer has something to say for itself: so long it is kept, and so long it stands on the page. */
export const HANDED_MS = 3000;

export class HandedOn {
  #kept: { track: string; canvas: HTMLCanvasElement; atMs: number } | null = null;

  /** Keep what is shown of a track (`court/room/track`) now. */
  keep(track: string, shown: HTMLCanvasElement | HTMLVideoElement | HTMLImageElement, atMs = performance.now()): void {
    const [width, height] = sizeOf(shown);
    if (width === 0 || height === 0) return;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext('2d');
    if (context === null) return;
    context.drawImage(shown, 0, 0);
    this.#kept = { track, canvas, atMs };
  }

  /** What was kept of a track just now; it is given once. */
  take(track: string, nowMs = performance.now()): HTMLCanvasElement | null {
    const kept = this.#kept;
    if (kept?.track !== track) return null;
    this.#kept = null;
    return nowMs - kept.atMs <= HANDED_MS ? kept.canvas : null;
  }

  /** Nothing of the room `court/room` may be seen any more. */
  forget(room: string): void {
    if (this.#kept?.track.startsWith(`${room}/`) === true) this.#kept = null;
  }
}

function sizeOf(shown: HTMLCanvasElement | HTMLVideoElement | HTMLImageElement): [number, number] {
  if (shown instanceof HTMLVideoElement) return [shown.videoWidth, shown.videoHeight];
  return shown instanceof HTMLImageElement ? [shown.naturalWidth, shown.naturalHeight] : [shown.width, shown.height];
}
