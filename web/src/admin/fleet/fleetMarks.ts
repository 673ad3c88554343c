/** How a room's health is drawn: its tone and its icon, beside its words. */

import type { IconName } from '../../lib/Icon.svelte';
import type { FleetState } from './fleetHealth';

export const FLEET_MARKS: Record<FleetState, { tone: 'good' | 'warn' | 'bad' | 'quiet'; icon: IconName }> = {
  alarm: { tone: 'bad', icon: 'warning' },
  offline: { tone: 'quiet', icon: 'cloud' },
  warning: { tone: 'warn', icon: 'flag' },
  planned: { tone: 'quiet', icon: 'clock' },
  ok: { tone: 'good', icon: 'check' },
};
