/** The notice before each page: whom it lets through, and what it says to the others. */

import { JSDOM } from 'jsdom';
import { expect, it } from 'vitest';
import { LEAST } from './least.js';
import { noticeScript } from './noticePlugin.js';

const WEBKIT = 'Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)';
const chromium = (version: number, more = ''): string => `${WEBKIT} Chrome/${version}.0.4430.212 Safari/537.36${more}`;
const firefox = (version: number): string => `Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/${version}.0`;
/** What browsers have and jsdom has not. */
const HAD = ['fetch', 'ResizeObserver', 'Proxy', 'BigInt', 'WebSocket', 'crypto', 'AbortController'];

interface Opening {
  without?: string[];
  path?: string;
  anyway?: boolean;
  documentMode?: number;
  forbidden?: boolean;
}

async function open(userAgent: string, { without = [], path = '/panel', anyway = false, documentMode, forbidden = false }: Opening = {}): Promise<Document> {
  const { window } = new JSDOM('<!doctype html><body><div id="app"></div></body>', { url: `http://room${path}`, runScripts: 'outside-only' });
  const put = (object: object, name: string, value: unknown): void => void Object.defineProperty(object, name, { value, configurable: true });
  put(window.navigator, 'userAgent', userAgent);
  put(window, 'CSS', { supports: () => true });
  put(window.HTMLScriptElement.prototype, 'noModule', false);
  for (const name of HAD) put(window, name, {});
  for (const name of without) put(window, name, undefined);
  if (documentMode !== undefined) put(window.document, 'documentMode', documentMode);
  if (anyway) window.sessionStorage.setItem('wutong.anyway', userAgent);
  if (forbidden) {
    Object.defineProperty(window, 'localStorage', {
      get: () => {
        throw new Error('SecurityError');
      },
    });
  }
  window.eval(noticeScript());
  if (window.document.readyState !== 'complete') await new Promise((loaded) => window.addEventListener('load', loaded));
  return window.document;
}

const said = (document: Document): string => document.getElementById('notice')?.textContent ?? '';

it.each([
  ['the least Chromium', chromium(LEAST.chrome)],
  ['360 in speed mode', chromium(108, ' 360SE')],
  ['Edge', chromium(130, ' Edg/130.0.0.0')],
  ['Chromium without a window', `${WEBKIT} HeadlessChrome/120.0.0.0 Safari/537.36`],
  ['the least Firefox', firefox(LEAST.firefox)],
  ['a browser that nobody knows', 'Mozilla/5.0 (iPad) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15'],
])('%s is let through', async (_, userAgent) => {
  const document = await open(userAgent);
  expect(document.getElementById('app')).not.toBeNull();
  expect(said(document)).toBe('');
});

it.each([
  ['a Chromium', chromium(LEAST.chrome - 1, ' 360SE'), 'Chromium 内核 89；最低要求：Chromium 内核 90', 'This browser: Chromium 89'],
  ['a Firefox', firefox(LEAST.firefox - 1), 'Firefox 内核 114；最低要求：Firefox 内核 115', 'This browser: Firefox 114'],
  ['the first Edge', chromium(64, ' Edge/17.17134'), 'Chromium 内核 64', 'Chromium 64'],
])('%s that is too old is told so in both languages, and what to do', async (_, userAgent, zh, en) => {
  const document = await open(userAgent);
  expect(document.getElementById('app')).toBeNull();
  for (const words of ['浏览器版本过低', zh, '请安装或升级', 'too old', en, 'Install one of these', userAgent]) expect(said(document)).toContain(words);
  expect(said(document)).toContain('录音录像不依赖本页面');
  expect(document.querySelector('button')?.textContent).toContain('仍要打开');
});

it.each([
  ['by its user agent', 'Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko', undefined],
  ['by its document mode', chromium(120), 8],
])('a browser in compatibility mode, known %s, is told to change its mode', async (_, userAgent, documentMode) => {
  const document = await open(userAgent, documentMode === undefined ? {} : { documentMode });
  for (const words of ['兼容模式', '极速模式', 'speed mode']) expect(said(document)).toContain(words);
});

it('names what is missing, and offers no way on without it', async () => {
  const document = await open(chromium(120), { without: ['WebSocket', 'ResizeObserver'] });
  expect(said(document)).toContain('缺少或被禁用的功能：WebSocket、ResizeObserver。');
  expect(said(document)).toContain('Missing or switched off: WebSocket, ResizeObserver.');
  expect(document.querySelector('button')).toBeNull();
});

it('says which setting keeps the page from storing anything', async () => {
  const document = await open(chromium(120), { forbidden: true });
  expect(said(document)).toContain('localStorage');
  expect(said(document)).toContain('允许本站使用 Cookie 和网站数据');
  expect(said(document)).not.toContain('请安装');
});

it('lets go on who wants to all the same, and speaks of no recording outside the room', async () => {
  expect(said(await open(chromium(80), { anyway: true }))).toBe('');
  expect(said(await open(chromium(80), { path: '/inspect' }))).not.toContain('录音录像');
});

it('says why a page did not start', async () => {
  const document = await open(chromium(120));
  const { defaultView: window } = document;
  window?.dispatchEvent(Object.assign(new window.Event('error'), { message: 'SyntaxError: Unexpected token', filename: '/assets/panel.js', lineno: 1 }));
  window?.dispatchEvent(new window.Event('load'));
  for (const words of ['页面没有启动', 'SyntaxError: Unexpected token', 'The page did not start']) expect(said(document)).toContain(words);
});

it('leaves a page alone that has started', async () => {
  const document = await open(chromium(120));
  const { defaultView: window } = document;
  document.getElementById('app')?.append(document.createElement('main'));
  window?.dispatchEvent(Object.assign(new window.Event('error'), { message: 'later', filename: '', lineno: 0 }));
  window?.dispatchEvent(new window.Event('load'));
  expect(said(document)).toBe('');
});
