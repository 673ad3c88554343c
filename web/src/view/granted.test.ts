import { describe, expect, it, vi } from 'vitest';
import { lineOf, takeCode } from './granted';

describe('the link of a grant', () => {
  it('leaves nothing of its code in the address', () => {
    const replaceState = vi.fn();
    const place = { hash: '#secret-code', pathname: '/view' } as Location;
    expect(takeCode(place, { replaceState } as unknown as History)).toBe('secret-code');
    expect(replaceState).toHaveBeenCalledWith(null, '', '/view');
  });

  it('is none without a code', () => {
    const replaceState = vi.fn();
    expect(takeCode({ hash: '', pathname: '/view' } as Location, { replaceState } as unknown as History)).toBe('');
    expect(replaceState).not.toHaveBeenCalled();
  });
});

describe('a line of a party', () => {
  it('has no versions, and is struck where the record says so', () => {
    const said = { id: 'u1', seat: 'judge', role: '审判长', start_ms: 1, end_ms: 2, text: '开庭', source: 'speech' as const };
    const line = lineOf({ ...said, struck: true, doubtful: false });
    expect([line.struck, line.gone, line.versions.length]).toEqual([true, '', 0]);
  });
});
