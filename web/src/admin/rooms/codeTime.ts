/** How long a code still counts, as a clock shows it: 14:05, or 1:02:30. */

import { pad } from '../../lib/format';

export function leftOf(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const rest = `${pad((s / 60) % 60)}:${pad(s % 60)}`;
  return s < 3600 ? rest : `${Math.floor(s / 3600)}:${rest}`;
}
