import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import ExhibitView from './ExhibitView.svelte';
import { forgetPictures } from './pagePicture';

/** A photograph that is twice as large as the space it is shown in. */
const [LARGE, SPACE] = [2000, 1000];

let page: ReturnType<typeof mount>;
let asked: string[];
/** How often bytes were made a picture. */
let decoded: number;
const props = $state({ view: { page: 1, zoom: 1, x: 0.5, y: 0.5 }, ahead: true, broken: [] as string[] });

beforeEach(() => {
  asked = [];
  decoded = 0;
  Object.assign(props, { view: { page: 1, zoom: 1, x: 0.5, y: 0.5 }, ahead: true, broken: [] });
  vi.stubGlobal('ResizeObserver', class {
    private readonly told: (entries: { target: Element }[]) => void;
    constructor(told: (entries: { target: Element }[]) => void) {
      this.told = told;
    }
    observe(target: Element): void {
      this.told([{ target }]);
    }
    unobserve(): void {
      // Nothing is resized.
    }
  });
  vi.stubGlobal('devicePixelRatio', 1);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(SPACE);
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(SPACE);
  vi.spyOn(HTMLImageElement.prototype, 'naturalWidth', 'get').mockReturnValue(LARGE);
  vi.spyOn(HTMLImageElement.prototype, 'naturalHeight', 'get').mockReturnValue(LARGE);
  forgetPictures();
  HTMLImageElement.prototype.decode = () => Promise.resolve();
  URL.createObjectURL = () => {
    decoded += 1;
    return 'blob:x';
  };
  URL.revokeObjectURL = () => undefined;
  vi.stubGlobal('fetch', (name: string) => {
    asked.push(name);
    const refused = JSON.stringify({ code: 'exhibit-page', message: '该页无法显示' });
    return Promise.resolve(props.broken.includes(name) ? new Response(refused, { status: 400 }) : new Response('picture'));
  });
  open();
});

afterEach(async () => {
  await unmount(page);
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function open(): void {
  page = mount(ExhibitView, {
    target: document.body,
    props: {
      exhibit: { media_type: 'image/png', sha256: 'f', title: '照片', pages: 3 },
      picture: (number: number, scale: number) => `p${number}@${scale}`,
      get view() {
        return props.view;
      },
      get ahead() {
        return props.ahead;
      },
    },
  });
  flushSync();
}

const seen = (name: string): string | null => document.querySelector('[role=img]')?.getAttribute(name) ?? null;
const shows = (drawn: string): Promise<void> => vi.waitFor(() => expect(seen('data-drawn')).toBe(drawn));

/** The same words about the room again: new objects, equal values. */
function message(): void {
  props.view = { ...props.view };
  flushSync();
}

describe('a page on the screen', () => {
  it('is asked for once, however many messages come', async () => {
    await shows('f:1');
    props.view = { ...props.view, zoom: 4 };
    flushSync();
    await vi.waitFor(() => expect(Number(seen('data-scale'))).toBeGreaterThan(1));
    const [scale, before] = [seen('data-scale'), asked.length];
    for (let told = 0; told < 20; told++) {
      message();
      await Promise.resolve();
    }
    expect([seen('data-scale'), asked.length]).toEqual([scale, before]);
  });

  it('brings the next one along, unless only this one may be seen', async () => {
    await shows('f:1');
    await vi.waitFor(() => expect(asked).toContain('p2@1'));
    props.ahead = false;
    props.view = { ...props.view, page: 2 };
    flushSync();
    await shows('f:2');
    expect(asked).not.toContain('p3@1');
  });

  it('is neither sent nor decoded a second time while somebody turns back and forth', async () => {
    await shows('f:1');
    for (const number of [2, 1, 2, 3, 1, 2]) {
      props.view = { ...props.view, page: number };
      flushSync();
      await shows(`f:${number}`);
    }
    expect(asked.filter((name) => name.endsWith('@1')).sort()).toEqual(['p1@1', 'p2@1', 'p3@1']);
    expect(decoded).toBe(asked.length);
    expect(document.querySelectorAll('.page img')).toHaveLength(1);
  });

  it('is as it was when something else was shown in between', async () => {
    await shows('f:1');
    await vi.waitFor(() => expect(decoded).toBe(2)); // and the next one
    const image = document.querySelector('.page img');
    await unmount(page);
    open();
    await shows('f:1');
    expect(document.querySelector('.page img')).toBe(image);
    expect(decoded).toBe(2);
  });

  it('is hidden while the one that was asked for cannot be shown', async () => {
    await shows('f:1');
    props.broken = ['p3@1'];
    props.view = { ...props.view, page: 3 };
    flushSync();
    await vi.waitFor(() => expect(document.body.textContent).toContain('该页无法显示'));
    expect(document.querySelector<HTMLElement>('.page')?.style.visibility).toBe('hidden');
    props.view = { ...props.view, page: 1 };
    flushSync();
    await vi.waitFor(() => expect(document.querySelector<HTMLElement>('.page')?.style.visibility).toBe('visible'));
  });
});
