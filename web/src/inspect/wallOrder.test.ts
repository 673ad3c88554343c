import { describe, expect, it } from 'vitest';
import { behindClosedDoors, notRecording, roomStatus, type ObservedRoom } from './roomStatus';
import { byAttention, liveTiles, MOST_DECODED, MOST_PLAYED, passes } from './wallOrder';

const room = (address: string, more: Partial<ObservedRoom> = {}): ObservedRoom => ({
  address,
  online: true,
  court_name: '尖山区人民法院',
  room_name: '第三法庭',
  hearing: null,
  recorder: { hearing: null, tracks: [{ kept: false, state: 'running' }], alarms: [] },
  ...more,
});
const recording = { hearing: 'h1', tracks: [{ kept: true, state: 'running' }], alarms: [] };
const open = { state: 'open', case: { case_no: '(2026)黑05民初123号', title: '民间借贷' } };

describe('the wall', () => {
  const rooms = [
    room('a/idle'),
    room('a/live', { hearing: open, recorder: recording }),
    room('a/paused', { hearing: { state: 'paused' } }),
    room('a/off', { online: false }),
    room('a/unknown', { online: false, known: false }),
    room('a/cut', { online: false, hearing: open }),
    room('a/alarm', { hearing: open, recorder: { ...recording, alarms: [{}] } }),
    room('a/unkept', { hearing: open, recorder: { ...recording, tracks: [{ kept: false, state: 'running' }] } }),
  ];

  it('puts first what a person must look at', () => {
    expect([...rooms].sort(byAttention).map((r) => r.address)).toEqual([
      'a/cut',
      'a/alarm',
      'a/off',
      'a/unkept',
      'a/live',
      'a/paused',
      'a/idle',
      'a/unknown',
    ]);
  });

  it('notices an open hearing that is not being kept', () => {
    expect(notRecording(room('a/b', { hearing: open, recorder: recording }))).toBe(false);
    expect(notRecording(room('a/b', { hearing: open, recorder: null }))).toBe(true);
    expect(
      notRecording(
        room('a/b', { hearing: open, recorder: { tracks: [{ kept: true }, { kept: true, state: 'failed' }] } }),
      ),
    ).toBe(true);
    expect(notRecording(room('a/b', { hearing: { state: 'paused' } }))).toBe(false);
    expect(roomStatus(room('a/b', { hearing: { state: 'closed' } }))).toBe('idle');
    expect(roomStatus(room('a/b', { alarms: [{}], recorder: null }))).toBe('alarm');
    expect(roomStatus(room('a/b', { online: false, known: false }))).toBe('unknown');
    expect(roomStatus(room('a/b', { online: false, known: true }))).toBe('offline');
  });

  it('filters by court, state and words', () => {
    const all = { court: '', state: '' as const, text: '' };
    const live = rooms[1] as ObservedRoom;
    expect(passes(live, all)).toBe(true);
    expect(passes(live, { ...all, court: 'b' })).toBe(false);
    expect(passes(live, { ...all, state: 'idle' })).toBe(false);
    expect(passes(live, { ...all, text: ' 123号' })).toBe(true);
    expect(passes(live, { ...all, text: '离婚' })).toBe(false);
  });

  it('moves only small pictures that are on the screen, sixteen at most and the first of the wall', () => {
    const tiles = Array.from({ length: 24 }, (_, i) => ({
      address: `a/${i}`,
      visible: i !== 1,
      state: i === 0 ? ('offline' as const) : i === 2 ? ('unknown' as const) : ('live' as const),
      small: i !== 3,
    }));
    expect(liveTiles(tiles, MOST_DECODED)).toEqual(Array.from({ length: 16 }, (_, i) => `a/${i + 4}`));
    expect(liveTiles(tiles, MOST_PLAYED)).toHaveLength(9);
    expect(liveTiles(tiles.slice(0, 6), MOST_DECODED)).toEqual(['a/4', 'a/5']);
  });
});

it('knows which pauses are behind closed doors', () => {
  const paused = (pause: string | null) => behindClosedDoors({ hearing: { pause } });
  expect([paused('mediation'), paused('closed_evidence'), paused('recess'), paused(null)]).toEqual([true, true, false, false]);
  expect(behindClosedDoors(null)).toBe(false);
});
