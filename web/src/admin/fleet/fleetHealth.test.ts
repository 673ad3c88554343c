import { expect, it } from 'vitest';
import { daysUntil, freeOf, sharesOf } from './fleetHealth';

it('shows one room in trouble among a thousand', () => {
  const shares = sharesOf({ ok: 999, alarm: 1, offline: 0, warning: 0, planned: 0 }, 1000);
  expect(shares.map(({ state }) => state)).toEqual(['alarm', 'ok']);
  expect(shares[0]?.width).toBeGreaterThanOrEqual(6);
  expect((shares[1]?.from ?? 0) + (shares[1]?.width ?? 0)).toBeCloseTo(1000);
  expect(sharesOf({ ok: 0, alarm: 0, offline: 0, warning: 0, planned: 0 }, 1000)).toEqual([]);
});

it('says nothing of a disk that no room has told of', () => {
  expect(freeOf({ disk_free_bytes: null, disk_bytes: null })).toBeNull();
  expect(freeOf({ disk_free_bytes: 5, disk_bytes: 0 })).toBeNull();
  expect(freeOf({ disk_free_bytes: 5, disk_bytes: 20 })).toBe(0.25);
});

it('counts whole days until a certificate ends, and those since', () => {
  expect(daysUntil(86_400_000 * 3, 0)).toBe(3);
  expect(daysUntil(86_400_000 * 3 - 1, 0)).toBe(2);
  expect(daysUntil(0, 1)).toBe(-1);
});
