import { expect, it } from 'vitest';
import { detailLine, detailOf } from './auditLog';

it('reads a detail that is an object name by name', () => {
  const detail = JSON.stringify({ route: '/api/hearings/{hearing}', hearing: 'h1', status: 403, parts: ['a', 'b'] });
  expect(detailOf(detail)).toEqual([['route', '/api/hearings/{hearing}'], ['hearing', 'h1'], ['status', '403'], ['parts', '["a","b"]']]);
  expect(detailLine(detail)).toBe('/api/hearings/{hearing} · h1 · 403 · ["a","b"]');
});

it('leaves any other detail as it is', () => {
  expect(detailOf('')).toEqual([]);
  expect(detailOf('enroll code')).toEqual([['', 'enroll code']]);
  expect(detailOf('{not json')).toEqual([['', '{not json']]);
  expect(detailOf('[1]')).toEqual([['', '[1]']]);
});
