/** The language of the screens: zh-CN unless a person chose English in this browser. One set of typed keys. */

import { ApiError } from './api';
import * as admin from './messages/admin';
import * as audit from './messages/audit';
import * as checks from './messages/checks';
import * as common from './messages/common';
import * as display from './messages/display';
import * as entrance from './messages/entrance';
import * as entry from './messages/entry';
import * as inspect from './messages/inspect';
import * as opening from './messages/opening';
import * as panel from './messages/panel';
import * as setup from './messages/setup';
import * as people from './messages/people';
import * as rooms from './messages/rooms';
import * as signing from './messages/signing';
import * as transcript from './messages/transcript';
import * as view from './messages/view';

export const MESSAGES = {
  zh: {
    ...common.zh,
    ...checks.zh,
    ...opening.zh,
    ...panel.zh,
    ...entry.zh,
    ...display.zh,
    ...entrance.zh,
    ...inspect.zh,
    ...transcript.zh,
    ...signing.zh,
    ...view.zh,
    ...setup.zh,
    ...admin.zh,
    ...people.zh,
    ...audit.zh,
    ...rooms.zh,
  },
  en: {
    ...common.en,
    ...checks.en,
    ...opening.en,
    ...panel.en,
    ...entry.en,
    ...display.en,
    ...entrance.en,
    ...inspect.en,
    ...transcript.en,
    ...signing.en,
    ...view.en,
    ...setup.en,
    ...admin.en,
    ...people.en,
    ...audit.en,
    ...rooms.en,
  },
} as const;

export type Lang = 'zh' | 'en';
export type Key = keyof (typeof MESSAGES)['zh'];

const STORED = 'wutong.lang';

class Language {
  lang = $state<Lang>(remembered());

  set(lang: Lang): void {
    this.lang = lang;
    try {
      localStorage.setItem(STORED, lang);
    } catch {
      // A browser that keeps nothing speaks Chinese again next time.
    }
    this.mark();
  }

  toggle(): void {
    this.set(this.lang === 'zh' ? 'en' : 'zh');
  }

  /** Tell assistive technology which language the page speaks. */
  mark(): void {
    document.documentElement.lang = this.lang === 'zh' ? 'zh-CN' : 'en';
  }
}

function remembered(): Lang {
  try {
    return localStorage.getItem(STORED) === 'en' ? 'en' : 'zh';
  } catch {
    return 'zh';
  }
}

export const language = new Language();

/** The message of `key` in the chosen language; `{name}` is replaced from `values`. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const table: Record<string, string> = MESSAGES[language.lang];
  return (table[key] ?? key).replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

/** Roles as courts write them; English beside only where the page speaks English. */
const ROLES: Record<string, string> = {
  审判长: 'Presiding judge',
  审判员: 'Judge',
  人民陪审员: 'Lay judge',
  书记员: 'Clerk',
  原告: 'Plaintiff',
  原告代理人: "Plaintiff's counsel",
  原告诉讼代理人: "Plaintiff's counsel",
  被告: 'Defendant',
  被告代理人: "Defendant's counsel",
  被告诉讼代理人: "Defendant's counsel",
  公诉人: 'Prosecutor',
  被告人: 'Accused',
  辩护人: 'Defense counsel',
  证人: 'Witness',
  鉴定人: 'Expert witness',
  第三人: 'Third party',
};

export function roleName(role: string): string {
  return language.lang === 'en' ? (ROLES[role] ?? role) : role;
}

/** Several names in one sentence, with the comma of the language. */
export function listed(names: readonly string[]): string {
  return names.join(language.lang === 'zh' ? '、' : ', ');
}

/** Sentences of the services come as "中文 (English)"; the half that this person reads. */
export function sentence(text: string): string {
  const halves = /^(.*\p{Script=Han}.*?)\s*\(([^\p{Script=Han}]+)\)\s*$/su.exec(text);
  if (!halves) return text;
  return (language.lang === 'zh' ? halves[1] : halves[2]) ?? text;
}

/** A failure in words: by its code where we know it, else the server's own sentence. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) {
    const key = `error.${error.code}`;
    if (key in MESSAGES.zh) return t(key as Key);
    return t('error.other', { message: sentence(error.message) });
  }
  return t('error.other', { message: error instanceof Error ? error.message : String(error) });
}
