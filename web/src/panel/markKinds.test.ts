import { expect, test } from 'vitest';
import type { Case } from '../lib/types';
import { markKinds, quickMarks } from './markKinds';

const CASE: Case = { id: '', case_no: '', cause: '', title: '', parties: {}, public: true };

test('marks are those of the kind of case, and the usual ones in a hearing of before there were kinds', () => {
  expect(quickMarks({ ...CASE, marks: ['讯问', '举证', '质证', '辩论', '最后陈述', '纪律'] })).toEqual(['讯问', '举证', '质证', '辩论', '最后陈述']);
  expect(markKinds({ ...CASE, marks: ['讯问', '其他'] })).toEqual(['讯问', '其他']);
  expect(quickMarks({ ...CASE, marks: [] })).toEqual(quickMarks(CASE));
  expect(markKinds(CASE).at(-1)).toBe('其他');
});
