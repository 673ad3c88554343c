/** A signal that aborts by itself: `AbortSignal.timeout`, which is newer than the least browsers. */
export function abortAfter(ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
}
