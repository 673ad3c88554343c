import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import LiveChip from './LiveChip.svelte';
import type { LiveStats } from './liveStats';
import { StageTimes } from './stageTimes';

let mounted: Record<string, unknown> | null = null;

function shown(more: Partial<LiveStats>): HTMLElement {
  const stages = new StageTimes();
  for (let ms = 1; ms <= 100; ms += 1) stages.add('lag', ms);
  const stats = { path: 'WebCodecs', reserveMs: 12.4, soundLateMs: null, stages, ...more } as LiveStats;
  mounted = mount(LiveChip, { target: document.body, props: { stats, lagMs: 96.4 } });
  flushSync();
  return document.body;
}

function open(): void {
  const details = document.querySelector('details');
  if (details) details.open = true;
  details?.dispatchEvent(new Event('toggle'));
  flushSync();
}

afterEach(async () => {
  if (mounted) await unmount(mounted);
  mounted = null;
  document.body.replaceChildren();
  vi.useRealTimers();
});

it('names the path and its delay', () => {
  expect(shown({}).textContent).toContain('WebCodecs · 延迟 96 ms');
});

it('shows what the stages took when it is opened, and keeps that new', () => {
  vi.useFakeTimers();
  const stages = new StageTimes();
  stages.add('decode', 4);
  const page = shown({ stages });
  expect(page.querySelectorAll('[data-stage]')).toHaveLength(0);
  open();
  expect(page.querySelector('[data-stage=decode]')?.textContent).toContain('4');
  stages.add('transit', 30);
  vi.advanceTimersByTime(1000);
  flushSync();
  expect([...page.querySelectorAll('[data-stage]')].map((row) => (row as HTMLElement).dataset.stage)).toEqual(['transit', 'decode']);
});

it('says how far sound is behind, where there is sound, and how to be quicker without decoders', () => {
  const page = shown({ path: 'MSE', soundLateMs: 18 });
  open();
  expect(page.textContent).toContain('为迟到的画面留出 12 ms；声音比画面晚 18 ms。');
  expect(page.textContent).toContain('https');
});
