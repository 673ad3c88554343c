import { expect, it } from 'vitest';
import { parsePlace, placeHref, sectionsOf } from './adminAddress';

const open = sectionsOf('administrator');

it('opens the first section of a role where the address names none of its own', () => {
  expect(parsePlace('', open)).toMatchObject({ section: open[0], id: '' });
  expect(parsePlace('#/nothing/x?q=1', open)).toMatchObject({ section: open[0], id: '' });
});

it('reads what is open of a section, and how it is asked', () => {
  const place = parsePlace('#/people/a%2Fb/c?q=%E5%BC%A0&offset=50', open);
  expect(place).toMatchObject({ section: 'people', id: 'a/b/c' });
  expect(place.query.get('q')).toBe('张');
  expect(parsePlace('#/people/%E0%A4%A', open).id).toBe('%E0%A4%A');
});

it('writes an address without what is empty', () => {
  expect(placeHref('people')).toBe('#/people');
  expect(placeHref('people', 'p1', { q: '', sort: '-name' })).toBe('#/people/p1?sort=-name');
});

it('opens nothing of administration for those who see hearings', () => {
  for (const role of ['clerk', 'judge', 'inspector', 'archivist', 'party', '']) expect(sectionsOf(role)).toEqual([]);
});
