/** How a finding of the self-test is shown: a test that nobody made, or that no longer counts, proves nothing. */

import type { IconName } from '../lib/Icon.svelte';
import type { SelfTestState, TestFinding } from '../lib/types';

export type Shown = TestFinding['state'] | 'untested';

export const ICONS: Record<Shown, IconName> = {
  untested: 'warning',
  waiting: 'clock',
  heard: 'mic',
  ok: 'check',
  warn: 'warning',
  failed: 'cross',
};

export function shown(test: SelfTestState | null, finding: TestFinding | undefined): Shown {
  if (test === null || finding === undefined || test.state === 'none' || test.state === 'expired') return 'untested';
  if (test.state !== 'running' && finding.state !== 'ok' && finding.state !== 'warn') return 'failed';
  return finding.state;
}
