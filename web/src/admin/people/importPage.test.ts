import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AdminPages } from '../openAdmin';
import type { ImportAnswer } from '../../lib/types';
import { faultyLines } from './peopleImport';

/** A request that tells of its progress, answered by the test. */
class FakeUpload extends EventTarget {
  static sent: FormData[] = [];
  static answer: { status: number; body: unknown };
  readonly upload = new EventTarget();
  responseType = '';
  responseText = '';
  status = 0;
  open(): void {}
  setRequestHeader(): void {}
  send(form: FormData): void {
    FakeUpload.sent.push(form);
    this.upload.dispatchEvent(new ProgressEvent('progress', { lengthComputable: true, loaded: 1, total: 1 }));
    this.status = FakeUpload.answer.status;
    this.responseText = JSON.stringify(FakeUpload.answer.body);
    queueMicrotask(() => this.dispatchEvent(new Event('load')));
  }
}

const checked: ImportAnswer = {
  lines: 3, good: 2, saved: 0,
  faults: [{ line: 4, field: 'role', text: '没有“法管”这一角色 (no such role)' }, { line: 4, field: 'login', text: '登录名重复 (taken)' }],
  rows: [{ line: 4, cells: { name: '张伟', login: 'zw', court: '' } }],
};
let pages: AdminPages;

beforeEach(() => {
  pages = new AdminPages();
  vi.stubGlobal('XMLHttpRequest', FakeUpload);
  FakeUpload.sent = [];
  FakeUpload.answer = { status: 200, body: checked };
});
afterEach(() => pages.close());

async function choose(): Promise<void> {
  await pages.open('#/people/import');
  await pages.sees('先逐行检查');
  const field = document.querySelector<HTMLInputElement>('input[type=file]') as HTMLInputElement;
  Object.defineProperty(field, 'files', { value: [new File(['x'], '人员.csv')] });
  field.dispatchEvent(new Event('change', { bubbles: true }));
  flushSync();
}
const sent = (): FormDataEntryValue[] => FakeUpload.sent.map((form) => form.get('save') ?? '');

it('looks at a file, says each line’s faults beside the line, and that nothing was saved', async () => {
  await choose();
  await pages.sees('共 3 行，1 行有问题。');
  await pages.sees('尚未保存任何内容。');
  expect(pages.text).toContain('张伟 · zw');
  expect(pages.text).toContain('没有“法管”这一角色');
  expect(sent()).toEqual(['check']);
});

it('saves the good lines only when it is asked to', async () => {
  await choose();
  await pages.sees('只保存没有问题的 2 人');
  FakeUpload.answer = { status: 200, body: { ...checked, saved: 2 } };
  pages.press('只保存没有问题的 2 人');
  await pages.sees('已保存 2 人。');
  await pages.sees('有问题的 1 行没有保存');
  expect(sent()).toEqual(['check', 'good']);
});

it('says why a file cannot be read', async () => {
  FakeUpload.answer = { status: 422, body: { code: 'import-file', message: '这不是 CSV 或 XLSX 文件 (neither CSV nor XLSX)' } };
  await choose();
  await pages.sees('这不是 CSV 或 XLSX 文件');
});

it('gathers the faults of a line, in the order of lines', () => {
  const faults = [{ line: 9, field: 'a', text: 'x' }, { line: 2, field: 'b', text: 'y' }, { line: 9, field: 'c', text: 'z' }];
  const lines = faultyLines({ lines: 9, good: 7, saved: 0, faults, rows: [] });
  expect(lines.map(({ line, faults: all, stands }) => [line, all.length, stands])).toEqual([[2, 1, []], [9, 2, []]]);
});
