import { expect, it } from 'vitest';
import { SequenceGate } from './sequenceGate';

it('lets nothing pass between a loss and the next key frame, over the wrap of the count', () => {
  const gate = new SequenceGate();
  const came = [[2 ** 32 - 2, false], [2 ** 32 - 1, true], [0, false], [2, false], [3, false], [4, true], [5, false]] as const;
  expect(came.map(([sequence, key]) => gate.passes(sequence, key))).toEqual([false, true, true, false, false, true, true]);
  gate.lose();
  expect([gate.passes(6, false), gate.passes(7, true)]).toEqual([false, true]);
});
