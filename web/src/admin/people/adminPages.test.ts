import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import App from '../App.svelte';
import { FakeAdminCenter, somebody } from '../fakeAdminCenter';

let center: FakeAdminCenter;
let page: Record<string, unknown> | null = null;

beforeEach(() => {
  center = new FakeAdminCenter();
  center.people = Array.from({ length: 120 }, (_, number) => somebody(number));
  // jsdom draws no dialogs: an open one is one with its attribute.
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
    this.dispatchEvent(new Event('close'));
  };
});
afterEach(async () => {
  if (page) await unmount(page);
  page = null;
  document.body.innerHTML = '';
  window.location.hash = '';
  vi.unstubAllGlobals();
});

async function at(hash: string): Promise<void> {
  window.location.hash = hash;
  window.dispatchEvent(new Event('hashchange'));
  page = mount(App, { target: document.body });
  await vi.waitFor(() => expect(text()).not.toBe(''));
}

const text = (): string => {
  flushSync();
  return document.body.textContent ?? '';
};
const seen = (words: string): Promise<void> => vi.waitFor(() => expect(text()).toContain(words));
const rows = (): string[] => [...document.querySelectorAll('tbody tr')].map((row) => row.querySelector('th')?.textContent?.trim() ?? '');

function button(name: string): HTMLElement {
  const found = [...document.querySelectorAll<HTMLElement>('button, a')].find((one) => (one.textContent ?? '').trim() === name || one.getAttribute('aria-label') === name);
  if (!found) throw new Error(`no button ${name} in ${text()}`);
  return found;
}

function type(label: string, value: string): void {
  const found = [...document.querySelectorAll('label')].find((one) => (one.textContent ?? '').trim() === label);
  const field = document.getElementById(found?.htmlFor ?? '') ?? found?.querySelector('input');
  if (!(field instanceof HTMLInputElement)) throw new Error(`no field ${label}`);
  field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

it('shows those who see hearings nothing of administration, and says why', async () => {
  center.role = 'inspector';
  await at('#/people');
  await seen('本页供系统管理员和审计员使用');
  expect(center.asked.filter(({ path }) => path.startsWith('/api/admin'))).toEqual([]);
});

it('pages, sorts and searches by asking the center, and keeps it in the address', async () => {
  await at('#/people');
  await vi.waitFor(() => expect(rows()).toHaveLength(50));
  button('下一页').click();
  await vi.waitFor(() => expect(rows()[0]).toBe('人员50'));
  expect(window.location.hash).toBe('#/people?offset=50');
  button('登录名').click();
  await vi.waitFor(() => expect(center.of('GET', '/api/admin/people').at(-1)?.query.get('sort')).toBe('login'));
  expect(center.of('GET', '/api/admin/people').at(-1)?.query.get('offset')).toBe('0');
  type('搜索', '人员11');
  await vi.waitFor(() => expect(rows()).toHaveLength(11));
  expect(window.location.hash).toContain(new URLSearchParams({ q: '人员11' }).toString());
  type('搜索', '没有这个人');
  await seen('没有符合条件的记录');
});

it('goes from row to row by arrows and from page to page by page keys', async () => {
  await at('#/people');
  await vi.waitFor(() => expect(rows()).toHaveLength(50));
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
  await vi.waitFor(() => expect(rows()[0]).toBe('人员50'));
  link(0).focus();
  press('/');
  expect((document.activeElement as HTMLInputElement).type).toBe('search');
});

it('says what is missing and what the center refuses at the field itself, and saves nothing', async () => {
  center.answers['POST /api/admin/people'] = () => ({
    status: 422,
    body: { code: 'invalid', message: '填写有误 (faults)', faults: [{ field: 'login', text: '登录名已被使用 (this sign-in name is taken)' }] },
  });
  await at('#/people/new');
  await seen('所在法院');
  button('保存').click();
  await seen('请填写姓名。');
  await seen('请选择所在法院。');
  expect(center.of('POST', '/api/admin/people')).toEqual([]);
  type('姓名', '张伟');
  type('登录名', 'zhangwei');
  const court = document.querySelector<HTMLInputElement>('dialog [role=combobox]') as HTMLInputElement;
  court.click();
  const option = (): HTMLElement | null => document.querySelector<HTMLElement>('dialog [role=option]:last-child');
  await vi.waitFor(() => expect(option()?.textContent).toContain('尖山区'));
  option()?.click();
  flushSync();
  button('保存').click();
  await seen('登录名已被使用');
  expect(text()).not.toContain('this sign-in name');
  expect(center.of('POST', '/api/admin/people')[0]?.body).toEqual({
    login: 'zhangwei', name: '张伟', court: 'js', posts: [{ role: 'clerk', court: 'js' }],
  });
});

it('offers a second post of the same power only', async () => {
  center.people = [somebody(1, { posts: [{ role: 'administrator', court: 'js' }] })];
  await at('#/people/p1');
  await seen('人员1');
  button('修改').click();
  flushSync();
  expect(document.querySelectorAll('dialog select option')).toHaveLength(8);
  button('再加一个岗位').click();
  flushSync();
  const offered = [...document.querySelectorAll<HTMLSelectElement>('dialog select')].map((one) => [...one.options].map(({ value }) => value));
  expect(offered).toEqual([['administrator'], ['administrator']]);
});

it('asks before it locks somebody, and says when that fails', async () => {
  center.people = [somebody(1)];
  center.answers['POST /api/admin/people/p1/lock'] = () => ({ status: 409, body: { code: 'last-administrator', message: '不能锁定最后一位系统管理员 (the last one)' } });
  await at('#/people/p1');
  await seen('人员1');
  button('锁定').click();
  await seen('锁定 人员1？');
  [...document.querySelectorAll<HTMLElement>('dialog footer button')].at(-1)?.click();
  await seen('不能锁定最后一位系统管理员');
});
