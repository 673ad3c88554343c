import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetPictures, loadPicture, MOST_BYTES, PictureError } from './pagePicture';

let asked: string[];
let answers: Record<string, () => Response>;

beforeEach(() => {
  asked = [];
  answers = {};
  forgetPictures();
  HTMLImageElement.prototype.decode = () => Promise.resolve();
  URL.createObjectURL = () => 'blob:x';
  URL.revokeObjectURL = () => undefined;
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    expect(init.cache).toBe('no-store');
    asked.push(url);
    return Promise.resolve(answers[url]?.() ?? new Response('picture'));
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a picture of a page', () => {
  it('is fetched once, also when it is asked for twice at the same moment', async () => {
    await Promise.all([loadPicture('a'), loadPicture('a')]);
    await loadPicture('a');
    expect(asked).toEqual(['a']);
  });

  it('is fetched anew after a sign-out, also when it was on its way', async () => {
    const coming = loadPicture('a');
    forgetPictures();
    await coming;
    await loadPicture('a');
    forgetPictures();
    await loadPicture('a');
    expect(asked).toEqual(['a', 'a', 'a']);
  });

  it('is not kept for a screen that has nothing of before', async () => {
    await loadPicture('a', false);
    await loadPicture('a', false);
    expect(asked).toEqual(['a', 'a']);
  });

  it('is asked for again while a larger one may still come', async () => {
    answers.a = () => new Response('small', { headers: { 'X-Wutong-Smaller': '1' } });
    await loadPicture('a');
    delete answers.a;
    await loadPicture('a');
    await loadPicture('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('says why there is none, and is asked for again', async () => {
    answers.a = () => new Response(JSON.stringify({ code: 'on-its-way', message: '页图尚未上传' }), { status: 404 });
    await expect(loadPicture('a')).rejects.toMatchObject({ code: 'on-its-way', message: '页图尚未上传', later: true });
    answers.a = () => new Response('<html>', { status: 403 });
    await expect(loadPicture('a')).rejects.toMatchObject({ code: 'error', later: false });
    delete answers.a;
    await loadPicture('a');
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('away')));
    await expect(loadPicture('b')).rejects.toBeInstanceOf(PictureError);
    await loadPicture('a');
  });

  it('gives way to others when there are many, the one that was not looked at for longest first', async () => {
    const part = new Uint8Array(MOST_BYTES / 16);
    const all = Array.from({ length: 16 }, (_, n) => `p${n}`);
    for (const url of [...all, 'more']) answers[url] = () => new Response(part);
    for (const url of all) await loadPicture(url);
    await loadPicture('p0');
    await loadPicture('more');
    asked = [];
    await loadPicture('p0');
    await loadPicture('more');
    expect(asked).toEqual([]);
    await loadPicture('p1');
    expect(asked).toEqual(['p1']);
  });
});
