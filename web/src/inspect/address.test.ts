import { describe, expect, it } from 'vitest';
import { hearingHref, parseRoute, roomHref } from './address';

describe('addresses of the inspection pages', () => {
  it('lead where they say', () => {
    expect(parseRoute('')).toEqual({ page: 'wall' });
    expect(parseRoute('#/nonsense')).toEqual({ page: 'wall' });
    expect(parseRoute(roomHref('jianshan/room-3'))).toEqual({ page: 'room', address: 'jianshan/room-3' });
    expect(parseRoute(hearingHref('h 1'))).toEqual({ page: 'hearing', id: 'h 1', at_ms: null });
    expect(parseRoute(hearingHref('h1', 1234.4))).toEqual({ page: 'hearing', id: 'h1', at_ms: 1234 });
    expect(parseRoute('#/hearing/h1?t=abc')).toEqual({ page: 'hearing', id: 'h1', at_ms: null });
    expect(parseRoute('#/hearing/100%?t=-5')).toEqual({ page: 'hearing', id: '100%', at_ms: null });
    const archive = parseRoute('#/archive?q=%E5%80%9F%E6%9D%A1');
    expect(archive.page === 'archive' && archive.query.get('q')).toBe('借条');
  });
});
