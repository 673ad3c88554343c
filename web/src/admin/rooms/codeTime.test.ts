import { expect, it } from 'vitest';
import { leftOf } from './codeTime';
import { stepOf } from './adminRooms';

it('counts a code down to nothing and not below', () => {
  expect(leftOf(845_000)).toBe('14:05');
  expect(leftOf(3_750_000)).toBe('1:02:30');
  expect(leftOf(1)).toBe('00:01');
  expect(leftOf(-5000)).toBe('00:00');
});

it('says how far a room has come', () => {
  expect(stepOf({ state: 'planned', online: false })).toBe('waiting');
  expect(stepOf({ state: 'enrolled', online: false })).toBe('enrolled');
  expect(stepOf({ state: 'enrolled', online: true })).toBe('live');
});
