import { afterEach, describe, expect, it } from 'vitest';
import { ApiError } from './api';
import { explain, language, MESSAGES, roleName, sentence, t } from './i18n.svelte';
import * as checks from './messages/checks';
import * as common from './messages/common';
import * as display from './messages/display';
import * as inspect from './messages/inspect';
import * as opening from './messages/opening';
import * as panel from './messages/panel';
import * as signing from './messages/signing';
import * as transcript from './messages/transcript';
import * as view from './messages/view';

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort();

afterEach(() => language.set('zh'));

describe('messages', () => {
  it('has every key in both languages', () => {
    expect(Object.keys(MESSAGES.en).sort()).toEqual(Object.keys(MESSAGES.zh).sort());
  });

  it('defines no key twice', () => {
    const keys = [checks, common, opening, panel, display, inspect, transcript, signing, view].flatMap((part) => Object.keys(part.zh));
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
  });

  it('says something, with the same holes, in both languages', () => {
    const en: Record<string, string> = MESSAGES.en;
    for (const [key, text] of Object.entries<string>(MESSAGES.zh)) {
      expect(text, key).not.toBe('');
      expect(en[key], key).not.toBe('');
      if (key !== 'form.title.made') expect(holes(en[key] ?? ''), key).toEqual(holes(text));
    }
  });

  it('fills the holes', () => {
    expect(t('exhibit.page', { page: 2, pages: 3 })).toBe('第 2 页，共 3 页');
  });
});

describe('language', () => {
  it('is Chinese first, is remembered, and marks the document', () => {
    expect(language.lang).toBe('zh');
    language.toggle();
    expect(document.documentElement.lang).toBe('en');
    expect(localStorage.getItem('wutong.lang')).toBe('en');
    expect(roleName('审判长')).toBe('Presiding judge');
  });

  it('takes the half of a bilingual sentence that the person reads', () => {
    const text = '磁盘空间不足：剩余 1.0 GB (the disk is below its reserve; free some space)';
    expect(sentence(text)).toBe('磁盘空间不足：剩余 1.0 GB');
    language.set('en');
    expect(sentence(text)).toBe('the disk is below its reserve; free some space');
    expect(sentence('HTTP 502')).toBe('HTTP 502');
  });
});

describe('explain', () => {
  it('uses our words for a known code and the server’s for others', () => {
    expect(explain(new ApiError('disk', 'x', 409))).toBe(MESSAGES.zh['error.disk']);
    expect(explain(new ApiError('new-code', '新的情况 (something new)', 409))).toBe('没有成功：新的情况');
  });
});
