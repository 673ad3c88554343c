import { afterEach, beforeEach, expect, it } from 'vitest';
import { AdminPages } from '../openAdmin';
import type { FleetRow } from '../../lib/types';

let pages: AdminPages;

const row = (more: Partial<FleetRow>): FleetRow => ({
  address: 'js/c01', court: 'js', room: 'c01', court_name: '尖山区人民法院', room_name: '第一法庭', state: 'ok', online: true, seen_utc_ms: 1, version: '1.2.0',
  pending_events: 0, pending_bytes: 0, clock_synced: true,
  disk_free_bytes: 5e11, disk_bytes: 1e12, clock_error_ms: 1.2, certificate_until_utc_ms: Date.now() + 40 * 86_400_000, last_hearing_utc_ms: null,
  selftest: { utc_ms: 1, passed: true }, alarms: [], ...more,
});

beforeEach(() => (pages = new AdminPages()));
afterEach(() => pages.close());

it('shows what is wrong with a room in words, and nothing where it was not told', async () => {
  const alarm = { code: 'disk', subject: '', text: '磁盘空间不足 (disk space is low)' };
  const rows = [
    row({ state: 'alarm', alarms: [alarm], certificate_until_utc_ms: 0, selftest: { utc_ms: 1, passed: false } }),
    row({ address: 'js/c02', state: 'planned', online: false, version: '', disk_free_bytes: null, disk_bytes: null, clock_error_ms: null, certificate_until_utc_ms: null, selftest: null }),
  ];
  pages.center.answers['GET /api/admin/fleet'] = () => ({ body: { total: 2, rows, counts: { alarm: 1, offline: 0, warning: 0, planned: 1, ok: 0 } } });
  await pages.open('#/fleet');
  await pages.sees('磁盘空间不足');
  expect(pages.text).not.toContain('disk space is low');
  const cells = [...document.querySelectorAll('tbody tr')].map((one) => [...one.querySelectorAll('td')].map((cell) => cell.textContent?.trim() ?? ''));
  expect(cells[0]?.slice(1, 5).map((cell) => cell.replace(/\s+/g, ' '))).toEqual(['剩余 500 GB', '±1.2 ms', '已到期', expect.stringContaining('未通过')]);
  expect(cells[1]?.slice(1)).toEqual(['未上报', '未上报', '未上报', '尚无', '尚无', '未上报']);
});

it('asks for the rooms of one state by a touch of its count, and for all by another', async () => {
  pages.center.answers['GET /api/admin/fleet'] = () => ({ body: { total: 1, rows: [row({})], counts: { alarm: 3, offline: 0, warning: 0, planned: 0, ok: 9 } } });
  const asked = (): URLSearchParams | undefined => pages.center.of('GET', '/api/admin/fleet').at(-1)?.query;
  await pages.open('#/fleet');
  await pages.sees('第一法庭');
  expect(asked()?.get('sort')).toBe('worst');
  pages.press('告警3');
  await pages.until(() => expect(asked()?.get('state')).toBe('alarm'));
  pages.press('告警3');
  await pages.until(() => expect(asked()?.get('state')).toBeNull());
});
