import { expect, it } from 'vitest';
import { StageTimes } from './stageTimes';

it('sums up what was measured, in the order of the way', () => {
  const times = new StageTimes();
  for (let ms = 1; ms <= 100; ms += 1) times.add('lag', ms);
  times.add('decode', 3);
  const [decode, lag] = times.summaries();
  expect([decode?.stage, decode?.p50Ms]).toEqual(['decode', 3]);
  expect([lag?.p50Ms, lag?.p95Ms, lag?.mostMs]).toEqual([51, 96, 100]);
  expect(lag?.shares).toEqual([0.05, 0.05, 0.1, 0.2, 0.4, 0.2, 0, 0, 0, 0]);
});

it('holds a minute and no more', () => {
  const times = new StageTimes();
  for (let n = 0; n < 5000; n += 1) times.add('wait', n < 3000 ? 900 : 10);
  expect(times.summaries()[0]?.mostMs).toBe(10);
});
