/** Calls `lock` once nobody has touched the page for so many minutes; 0: never. Returns what ends it. */
export function idleLock(minutes: number, lock: () => void): () => void {
  if (minutes <= 0) return () => undefined;
  let timer: ReturnType<typeof setTimeout>;
  const touched = (): void => {
    clearTimeout(timer);
    timer = setTimeout(lock, minutes * 60_000);
  };
  const kinds = ['pointerdown', 'keydown', 'wheel'] as const;
  for (const kind of kinds) window.addEventListener(kind, touched, { capture: true, passive: true });
  touched();
  return () => {
    clearTimeout(timer);
    for (const kind of kinds) window.removeEventListener(kind, touched, { capture: true });
  };
}
