import { expect, it } from 'vitest';
import { partyLine } from './grantedHearing';

it('gives a party lines without versions, struck where the record says so', () => {
  const told = { id: 'u1', seat: 'judge', role: '审判长', start_ms: 1, end_ms: 2, text: '开庭', source: 'speech' as const };
  const line = partyLine({ ...told, struck: true, doubtful: false });
  expect([line.struck, line.gone, line.versions.length]).toEqual([true, '', 0]);
});
