import { describe, expect, it } from 'vitest';
import { applyEvent, emptyHearing, recordedMs } from './hearing';
import type { Hearing, RoomEvent } from './types';

let number = 0;
function event(kind: string, room_ms: number, body: Record<string, unknown> = {}): RoomEvent {
  number += 1;
  return { number, hearing: 'h', kind, room_ms, utc_ms: 1_000_000 + room_ms, body } as RoomEvent;
}

function opened(): Hearing {
  const hearing = emptyHearing('h');
  applyEvent(hearing, event('open', 1000, { case: { case_no: '1号' }, seats: [], tracks: [] }));
  return hearing;
}

const view = { exhibit: 'e', page: 1, zoom: 1, x: 0.5, y: 0.5 };

describe('applyEvent', () => {
  it('takes an event once, and none of another hearing', () => {
    const hearing = opened();
    const mark = event('mark', 2000, { id: 'm', kind: '举证', text: '' });
    applyEvent(hearing, mark);
    applyEvent(hearing, mark);
    applyEvent(hearing, { ...mark, number: mark.number + 100, hearing: 'other' });
    expect(hearing.marks).toEqual([{ id: 'm', at_ms: 2000, kind: '举证', text: '' }]);
  });

  it('ends a presentation when another begins, in a recess and at the close', () => {
    const hearing = opened();
    applyEvent(hearing, event('present', 2000, view));
    applyEvent(hearing, event('present', 3000, { ...view, page: 2 }));
    expect(hearing.presentations.map((p) => p.to_ms)).toEqual([3000, null]);
    expect(hearing.presented?.page).toBe(2);
    applyEvent(hearing, event('pause', 4000, { reason: 'recess' }));
    expect(hearing.presented).toBeNull();
    expect(hearing.presentations.at(-1)?.to_ms).toBe(4000);
  });

  it('knows the last seal, and the words that came after it', () => {
    const hearing = opened();
    applyEvent(hearing, event('close', 2000));
    applyEvent(hearing, event('seal', 3000, { index: 0, leaves: 2, root: 'ab', words_complete: true }));
    expect(hearing.sealed).toEqual({ at_utc_ms: 1_003_000, index: 0, leaves: 2, root: 'ab', words_complete: true, late: 0 });
    applyEvent(hearing, event('utterance', 4000, { id: 'late', start_ms: 1500, text: '对' }));
    expect(hearing.sealed?.late).toBe(1);
  });

  it('knows whose consent lets the recording stand for the transcript', () => {
    const hearing = opened();
    expect(hearing.replaced_by_consent_of).toEqual([]);
    applyEvent(hearing, event('replacement', 2000, { consents: ['张三', '李四'] }));
    expect(hearing.replaced_by_consent_of).toEqual(['张三', '李四']);
  });

  it('puts utterances in the order in which they began', () => {
    const hearing = opened();
    for (const [id, start_ms] of [['b', 2000], ['c', 3000], ['a', 1500], ['c', 9000]] as const) {
      applyEvent(hearing, event('utterance', 5000, { id, start_ms, end_ms: start_ms + 1, text: id, seat: 's', role: '原告' }));
    }
    expect(hearing.utterances.map((u) => u.id)).toEqual(['a', 'b', 'c']);
  });

  it('raises an alarm once and clears it', () => {
    const hearing = opened();
    const alarm = { code: 'frozen', subject: 'bench', text: '画面静止' };
    applyEvent(hearing, event('alarm', 2000, alarm));
    applyEvent(hearing, event('alarm', 2500, alarm));
    applyEvent(hearing, event('alarm', 3000, { ...alarm, cleared: true }));
    expect(hearing.alarms).toEqual([{ ...alarm, raised_ms: 2000, cleared_ms: 3000 }]);
  });
});

describe('recordedMs', () => {
  it('leaves the pauses out, an open one included', () => {
    const hearing = opened();
    applyEvent(hearing, event('pause', 5000, { reason: 'recess' }));
    expect(recordedMs(hearing, 9000)).toBe(4000);
    applyEvent(hearing, event('resume', 8000));
    expect(recordedMs(hearing, 9000)).toBe(5000);
    applyEvent(hearing, event('close', 10_000));
    expect(recordedMs(hearing, 99_000)).toBe(6000);
  });
});

describe('pre-roll', () => {
  const opened = (body: Record<string, unknown>) => {
    const hearing = emptyHearing('h');
    applyEvent(hearing, { number: 1, hearing: 'h', kind: 'open', room_ms: 100_000, utc_ms: 0, body });
    return hearing.recorded_from_ms;
  };
  it('begins where the opening says, and never long before', () => {
    expect(opened({})).toBe(100_000);
    expect(opened({ from_ms: 95_000 })).toBe(95_000);
    expect(opened({ from_ms: 1 })).toBe(90_000);
    expect(opened({ from_ms: 200_000 })).toBe(100_000);
  });
});
