import type { RoomListed } from '../../lib/types';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AdminPages } from '../openAdmin';

let pages: AdminPages;
let room: RoomListed;

beforeEach(() => {
  pages = new AdminPages();
  room = {
    address: 'js/c01', court: 'js', room: 'c01', court_name: '尖山区人民法院', room_name: '第一法庭', state: 'planned', online: false,
    by: '周敏', made_utc_ms: 1, retired_utc_ms: null, has_device: false, moving: '', code_until_utc_ms: null, leaving: null,
  };
  const code = { code: 'AAAA-BBBB', carried: 'https://center:8800/#AAAA-BBBB', until_utc_ms: Date.now() + 600_000, qr_svg: '<svg xmlns="http://www.w3.org/2000/svg"/>' };
  pages.center.answers['POST /api/admin/rooms'] = () => ({ body: room });
  pages.center.answers['GET /api/admin/rooms'] = () => ({ body: { total: 0, rows: [] } });
  pages.center.answers['GET /api/admin/rooms/js/c01'] = () => ({ body: room });
  pages.center.answers['POST /api/admin/rooms/js/c01/code'] = () => ({ body: code });
});
afterEach(() => pages.close());

it('adds a room, shows its code, and follows the machine to the wall', async () => {
  await pages.open('#/rooms/new');
  await pages.sees('还没有法庭');
  await pages.chooseCourt('尖山区');
  pages.type('法庭名称', '第一法庭');
  pages.type('代号', 'c01');
  pages.press('添加并生成登记码');
  await pages.sees('AAAA-BBBB');
  expect(pages.center.of('POST', '/api/admin/rooms')[0]?.body).toEqual({ court: 'js', room: 'c01', room_name: '第一法庭' });
  expect(pages.text).toContain('等待法庭设备输入登记码');
  expect(pages.text).toMatch(/09:5\d 后失效|10:00 后失效/);
  expect(document.querySelector<HTMLImageElement>('img[alt="登记码的二维码"]')?.src).toContain('svg');
  room = { ...room, state: 'enrolled', has_device: true };
  window.dispatchEvent(new Event('focus'));
  await pages.sees('登记码已使用');
  expect(pages.text).not.toContain('AAAA-BBBB');
  room = { ...room, online: true };
  window.dispatchEvent(new Event('focus'));
  await pages.sees('已上墙');
});

it('makes no second code by itself when the page is loaded again', async () => {
  await pages.open('#/rooms/js/c01');
  await pages.sees('生成登记码');
  expect(pages.center.of('POST', '/api/admin/rooms/js/c01/code')).toEqual([]);
});

it('does not retire a room whose machine still holds something, and says so', async () => {
  room = { ...room, state: 'enrolled', online: true };
  pages.center.answers['POST /api/admin/rooms/js/c01/retire'] = ({ body }) =>
    (body as { force: boolean }).force
      ? { body: { ...room, state: 'retired', online: false, retired_utc_ms: 1 } }
      : { status: 409, body: { code: 'still-holds', message: '设备上还有 3 条记录未送达 (3 records have not arrived)' } };
  await pages.open('#/rooms/js/c01');
  await pages.sees('已上墙');
  pages.press('停用');
  document.querySelector<HTMLElement>('dialog footer .primary')?.click();
  await pages.sees('设备上还有 3 条记录未送达');
  document.querySelector<HTMLInputElement>('dialog input[type=checkbox]')?.click();
  await pages.sees('只能从它的磁盘或备份恢复');
  document.querySelector<HTMLElement>('dialog footer .primary')?.click();
  await pages.sees('已停用第一法庭');
});

it('waits for the machine before, says what it still holds, and makes the code when all of it has arrived', async () => {
  room = { ...room, state: 'enrolled', has_device: true, online: true };
  let holds = true;
  pages.center.answers['POST /api/admin/rooms/js/c01/move'] = () => {
    room = { ...room, moving: holds ? 'waits' : 'ready', leaving: holds ? { pending_events: 3, pending_bytes: 2_000_000 } : null };
    if (holds) return { status: 409, body: { code: 'still-holds', message: '旧设备还有 3 条记录 (it still holds)' } };
    return { body: { code: 'CCCC-DDDD', carried: 'https://center:8800/#CCCC-DDDD', until_utc_ms: Date.now() + 600_000, qr_svg: '<svg/>' } };
  };
  await pages.open('#/rooms/js/c01');
  await pages.sees('已上墙');
  pages.press('换到另一台设备');
  pages.press('生成新登记码');
  await pages.sees('还有 3 条记录、2.0 MB 文件');
  holds = false;
  pages.press('生成新登记码');
  await pages.sees('CCCC-DDDD');
  room = { ...room, moving: '' };
  window.dispatchEvent(new Event('focus'));
  await pages.sees('已上巡查墙');
});
