/** A table of people, sent to the center to be looked at or saved; what it says, line by line. */

import { upload } from '../../lib/api';
import type { ImportAnswer, ImportFault } from '../../lib/types';

export const IMPORT_TEMPLATE = '/api/admin/people/import/template.csv';

/** Has a file looked at (`check`), or saved whole or as far as it is good. */
export function importPeople(file: File, save: 'check' | 'all' | 'good', progress: (part: number) => void): Promise<ImportAnswer> {
  const form = new FormData();
  form.set('save', save);
  form.set('file', file);
  return upload<ImportAnswer>('/api/admin/people/import', form, progress);
}

interface FaultyLine {
  line: number;
  stands: string[];
  faults: ImportFault[];
}

/** The lines with faults, each with all of its own and with what stands in it. */
export function faultyLines(answer: ImportAnswer): FaultyLine[] {
  const stands = new Map(answer.rows.map((row) => [row.line, Object.values(row.cells).filter((cell) => cell !== '')]));
  const lines = new Map<number, FaultyLine>();
  for (const fault of answer.faults) {
    const line = lines.get(fault.line) ?? { line: fault.line, stands: stands.get(fault.line) ?? [], faults: [] };
    line.faults.push(fault);
    lines.set(fault.line, line);
  }
  return [...lines.values()].sort((a, b) => a.line - b.line);
}
