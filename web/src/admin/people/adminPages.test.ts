import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { somebody } from '../fakeAdminCenter';
import { AdminPages } from '../openAdmin';

let pages: AdminPages;

beforeEach(() => {
  pages = new AdminPages();
  pages.center.people = Array.from({ length: 120 }, (_, number) => somebody(number));
});
afterEach(() => pages.close());

it('shows those who see hearings nothing of administration, and says why', async () => {
  pages.center.role = 'inspector';
  await pages.open('#/people');
  await pages.sees('本页供系统管理员和审计员使用');
  expect(pages.center.asked.filter(({ path }) => path.startsWith('/api/admin'))).toEqual([]);
});

it('says to whoever administers that shared codes still open the center, and only then', async () => {
  await pages.open('#/people');
  await pages.until(() => expect(pages.center.of('GET', '/api/sign-in/ways')).toHaveLength(1));
  expect(document.querySelector('.codes')).toBeNull();
  await pages.close();
  pages = new AdminPages();
  pages.center.codes = true;
  await pages.open('#/people');
  await pages.until(() => expect(document.querySelector('.codes[role=alert]')?.textContent).toContain('people.codes_until'));
});

it('pages, sorts and searches by asking the center, and keeps it in the address', async () => {
  await pages.open('#/people');
  await pages.until(() => expect(pages.rows).toHaveLength(50));
  pages.press('下一页');
  await pages.until(() => expect(pages.rows[0]).toBe('人员50'));
  expect(window.location.hash).toBe('#/people?offset=50');
  pages.press('登录名');
  await pages.until(() => expect(pages.center.of('GET', '/api/admin/people').at(-1)?.query.get('sort')).toBe('login'));
  expect(pages.center.of('GET', '/api/admin/people').at(-1)?.query.get('offset')).toBe('0');
  pages.type('搜索', '人员11');
  await pages.until(() => expect(pages.rows).toHaveLength(11));
  expect(window.location.hash).toContain(new URLSearchParams({ q: '人员11' }).toString());
  pages.type('搜索', '没有这个人');
  await pages.sees('没有符合条件的记录');
});

it('goes from row to row by arrows and from page to page by page keys', async () => {
  await pages.open('#/people');
  await pages.until(() => expect(pages.rows).toHaveLength(50));
  const link = (number: number): HTMLElement => document.querySelectorAll<HTMLElement>('tbody .rowlink')[number] as HTMLElement;
  const press = (key: string): void => {
    document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    flushSync();
  };
  link(0).focus();
  press('ArrowDown');
  expect(document.activeElement).toBe(link(1));
  press('End');
  expect(document.activeElement).toBe(link(49));
  press('PageDown');
  await pages.until(() => expect(pages.rows[0]).toBe('人员50'));
  link(0).focus();
  press('/');
  expect((document.activeElement as HTMLInputElement).type).toBe('search');
});

it('says what is missing and what the center refuses at the field itself, and saves nothing', async () => {
  pages.center.answers['POST /api/admin/people'] = () => ({
    status: 422,
    body: { code: 'invalid', message: '填写有误 (faults)', faults: [{ field: 'login', text: '登录名已被使用 (this sign-in name is taken)' }] },
  });
  await pages.open('#/people/new');
  await pages.sees('所在法院');
  pages.press('保存');
  await pages.sees('请填写姓名。');
  await pages.sees('请选择所在法院。');
  expect(pages.center.of('POST', '/api/admin/people')).toEqual([]);
  pages.type('姓名', '张伟');
  pages.type('登录名', 'zhangwei');
  await pages.chooseCourt('尖山区');
  pages.press('保存');
  await pages.sees('登录名已被使用');
  expect(pages.text).not.toContain('this sign-in name');
  expect(pages.center.of('POST', '/api/admin/people')[0]?.body).toEqual({
    login: 'zhangwei', name: '张伟', court: 'js', posts: [{ role: 'clerk', court: 'js' }],
  });
});

it('offers a second post of the same power only', async () => {
  pages.center.people = [somebody(1, { posts: [{ role: 'administrator', court: 'js' }] })];
  await pages.open('#/people/p1');
  await pages.sees('人员1');
  pages.press('修改');
  expect(document.querySelectorAll('dialog select option')).toHaveLength(8);
  pages.press('再加一个岗位');
  const offered = [...document.querySelectorAll<HTMLSelectElement>('dialog select')].map((one) => [...one.options].map(({ value }) => value));
  expect(offered).toEqual([['administrator'], ['administrator']]);
});

it('asks before it locks somebody, and says when that fails', async () => {
  pages.center.people = [somebody(1)];
  pages.center.answers['POST /api/admin/people/p1/lock'] = () => ({ status: 409, body: { code: 'last-administrator', message: '不能锁定最后一位系统管理员 (the last one)' } });
  await pages.open('#/people/p1');
  await pages.sees('人员1');
  pages.press('锁定');
  await pages.sees('锁定 人员1？');
  [...document.querySelectorAll<HTMLElement>('dialog footer button')].at(-1)?.click();
  await pages.sees('不能锁定最后一位系统管理员');
});
