import { expect, it } from 'vitest';
import { LivePace } from './livePace';

it('knows what is sent at once from what comes as it is made', () => {
  const pace = new LivePace();
  for (let n = 0; n < 25; n += 1) pace.comes(40, 1000 + n * 3);
  expect(pace.live).toBe(false);
  pace.comes(40, 1110);
  pace.comes(40, 1150);
  expect(pace.live).toBe(true);
  pace.comes(40, 1151);
  expect(pace.live, 'two that come together were late on their way').toBe(true);
  pace.begin();
  pace.comes(40, 1191);
  expect(pace.live).toBe(false);
});
