import { afterEach, beforeEach, expect, it } from 'vitest';
import { somebody } from '../fakeAdminCenter';
import { AdminPages } from '../openAdmin';
import type { ShownAct } from '../../lib/types';

let pages: AdminPages;

const act = (more: Partial<ShownAct>): ShownAct => ({
  id: 'a1', kind: 'reset-factor', person: 'p1', person_name: '张伟', court_name: '尖山区人民法院', why: '手机丢失', state: 'waiting', by: 'p9', by_name: '孙磊',
  made_utc_ms: 1, until_utc_ms: 2, confirmed_by_name: null, mine: false, ...more,
});

beforeEach(() => {
  pages = new AdminPages();
  pages.center.people = [somebody(1, { name: '张伟' })];
  pages.center.answers['GET /api/admin/people/p1/sessions'] = () => ({
    body: { sessions: [{ id: 's1', role: 'judge', court_name: '尖山区人民法院', began_utc_ms: 1, seen_utc_ms: 2, current: false }] },
  });
});
afterEach(() => pages.close());

it('asks with a reason, and says that another administrator must confirm', async () => {
  pages.center.answers['POST /api/admin/acts'] = () => ({ body: act({ mine: true }) });
  await pages.open('#/people/p1');
  await pages.sees('张伟');
  pages.press('丢失第二因素');
  expect(document.querySelector<HTMLButtonElement>('dialog footer .primary')?.disabled).toBe(true);
  pages.type('原因', '手机丢失');
  pages.press('提交申请');
  await pages.sees('等待另一位管理员确认');
  expect(pages.center.of('POST', '/api/admin/acts')[0]?.body).toEqual({ kind: 'reset-factor', person: 'p1', why: '手机丢失' });
});

it('lets the other administrator confirm, after saying what to make sure of, and not the one who asked', async () => {
  pages.center.answers['GET /api/admin/acts'] = () => ({ body: { total: 2, rows: [act({}), act({ id: 'a2', mine: true })] } });
  pages.center.answers['POST /api/admin/acts/a1/confirm'] = () => ({ body: act({ state: 'done', confirmed_by_name: '周敏', code: 'ONCE-CODE', code_until_utc_ms: 3 }) });
  await pages.open('#/acts');
  await pages.sees('须由另一人确认');
  expect([...document.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('button')].map((one) => one.textContent?.trim()))).toEqual([['确认', '不同意'], ['撤回']]);
  pages.press('确认');
  await pages.sees('请当面或电话核实本人身份');
  pages.press('确认');
  await pages.sees('已确认：张伟重设登录方式');
  await pages.sees('ONCE-CODE');
});

it('ends a session by one touch', async () => {
  pages.center.answers['DELETE /api/admin/people/p1/sessions/s1'] = () => ({ body: {} });
  await pages.open('#/people/p1');
  await pages.sees('最近使用');
  pages.center.answers['GET /api/admin/people/p1/sessions'] = () => ({ body: { sessions: [] } });
  pages.press('结束会话');
  await pages.sees('目前没有登录。');
  await pages.until(() => expect(pages.center.of('DELETE', '/api/admin/people/p1/sessions/s1')).toHaveLength(1));
});

it('gives somebody new a code to begin with, and nobody who can sign in already', async () => {
  pages.center.people = [somebody(1, { name: '张伟', factors: [] })];
  pages.center.answers['POST /api/admin/people/p1/sign-up-code'] = () => ({ body: { code: 'FIRST-CODE', until_utc_ms: 1 } });
  await pages.open('#/people/p1');
  await pages.sees('尚未设置');
  expect(pages.text).not.toContain('丢失第二因素');
  pages.press('生成启用码');
  await pages.sees('FIRST-CODE');
});
