import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetPictures, loadPicture, MOST_BYTES, PictureError, preparePicture } from './pagePicture';

let asked: string[];
/** How often bytes were made a picture, which is dear. */
let decoded: number;
let answers: Record<string, () => Response>;

beforeEach(() => {
  asked = [];
  decoded = 0;
  answers = {};
  forgetPictures();
  HTMLImageElement.prototype.decode = () => Promise.resolve();
  URL.createObjectURL = () => {
    decoded += 1;
    return 'blob:x';
  };
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

  it('is decoded once, however often it is shown again', async () => {
    const first = await loadPicture('a');
    first.giveBack();
    const again = await loadPicture('a');
    expect(again.image).toBe(first.image);
    again.giveBack();
    await preparePicture('a');
    expect([asked, decoded]).toEqual([['a'], 1]);
  });

  it('is here and decoded before it is shown, when it was prepared', async () => {
    await preparePicture('a');
    asked = [];
    decoded = 0;
    await loadPicture('a');
    expect([asked, decoded]).toEqual([[], 0]);
  });

  it('is in one place at a time: who wants it meanwhile has another of the same bytes', async () => {
    const one = await loadPicture('a');
    const other = await loadPicture('a');
    expect(other.image).not.toBe(one.image);
    one.giveBack();
    one.giveBack();
    other.giveBack();
    expect((await loadPicture('a')).image).toBe(one.image);
    expect((await loadPicture('a')).image).not.toBe(one.image);
    expect(asked).toEqual(['a']);
  });

  it('is not had from before a sign-out by who signs in after it, whenever it was taken off the screen', async () => {
    const shown = await loadPicture('a');
    (await loadPicture('a')).giveBack();
    forgetPictures();
    await loadPicture('a');
    shown.giveBack();
    expect((await loadPicture('a')).image).not.toBe(shown.image);
    expect([asked, decoded]).toEqual([['a', 'a'], 4]);
  });

  it('is decoded anew from its bytes when the browser has let go of it', async () => {
    const first = await loadPicture('a');
    first.giveBack();
    first.image.decode = () => Promise.reject(new DOMException('gone', 'EncodingError'));
    expect((await loadPicture('a')).image).not.toBe(first.image);
    expect([asked, decoded]).toEqual([['a'], 2]);
  });

  it('is asked for again while a larger one may still come', async () => {
    answers.a = () => new Response('small', { headers: { 'X-Wutong-Smaller': '1' } });
    await preparePicture('a');
    delete answers.a;
    await loadPicture('a');
    expect(asked).toEqual(['a', 'a']);
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
    for (const url of all) await preparePicture(url);
    (await loadPicture('p0')).giveBack();
    await preparePicture('more');
    asked = [];
    await loadPicture('p0');
    await loadPicture('more');
    expect(asked).toEqual([]);
    await loadPicture('p1');
    expect(asked).toEqual(['p1']);
  });
});
