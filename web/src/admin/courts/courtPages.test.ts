import { afterEach, beforeEach, expect, it } from 'vitest';
import { AdminPages } from '../openAdmin';

let pages: AdminPages;

beforeEach(() => (pages = new AdminPages()));
afterEach(() => pages.close());

it('adds a court below another, one level below it, with its faults beside its fields', async () => {
  let taken = true;
  pages.center.answers['POST /api/admin/courts'] = ({ body }) =>
    taken ? { status: 422, body: { code: 'form', message: '填写有误 (faults)', faults: [{ field: 'slug', text: '已有这个法院 (taken)' }] } } : { body: { ...(body as object), depth: 3, people: 0 } };
  await pages.open('#/courts/new');
  await pages.sees('上级法院');
  pages.type('名称', '岭东区人民法院');
  pages.type('代号', 'LD');
  await pages.chooseCourt('双鸭山');
  pages.press('保存');
  await pages.sees('请用小写字母');
  expect(pages.center.of('POST', '/api/admin/courts')).toEqual([]);
  pages.type('代号', 'ld');
  pages.press('保存');
  await pages.sees('已有这个法院');
  taken = false;
  pages.press('保存');
  await pages.sees('已保存岭东区人民法院');
  expect(pages.center.of('POST', '/api/admin/courts').at(-1)?.body).toEqual({ slug: 'ld', name: '岭东区人民法院', level: 'district', parent: 'sys' });
});

it('says why a court cannot be removed', async () => {
  pages.center.answers['DELETE /api/admin/courts/js'] = () => ({ status: 409, body: { code: 'in-use', message: '不能删除，其下仍有人员 (people)' } });
  await pages.open('#/courts');
  await pages.sees('尖山区人民法院');
  pages.press('移除尖山区人民法院');
  pages.press('移除');
  await pages.sees('其下仍有人员');
});
