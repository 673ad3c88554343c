import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { idleLock } from './idleLock';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('a page that nobody touches is locked, and each touch begins anew', () => {
  const lock = vi.fn();
  const stop = idleLock(2, lock);
  vi.advanceTimersByTime(119_000);
  window.dispatchEvent(new Event('pointerdown'));
  vi.advanceTimersByTime(119_000);
  expect(lock).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2000);
  expect(lock).toHaveBeenCalledTimes(1);
  stop();
});

test('zero minutes lock nothing, and what was ended locks nothing', () => {
  const lock = vi.fn();
  idleLock(0, lock);
  idleLock(1, lock)();
  vi.advanceTimersByTime(3_600_000);
  expect(lock).not.toHaveBeenCalled();
});
