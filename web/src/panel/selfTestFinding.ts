/** How a finding of the self-test is shown: a test that was not run, or has expired, proves nothing. */

import type { IconName } from '../lib/Icon.svelte';
import type { SelfTestState, TestFinding } from '../lib/types';

export type FindingDisplay = TestFinding['state'] | 'untested';

export const FINDING_ICONS: Record<FindingDisplay, IconName> = {
  untested: 'warning',
  waiting: 'clock',
  heard: 'mic',
  ok: 'check',
  warn: 'warning',
  failed: 'cross',
};

export function findingDisplay(test: SelfTestState | null, finding: TestFinding | undefined): FindingDisplay {
  if (test === null || finding === undefined || test.state === 'none' || test.state === 'expired') return 'untested';
  if (test.state !== 'running' && finding.state !== 'ok' && finding.state !== 'warn') return 'failed';
  return finding.state;
}
