/** What accepting a finding of the checks writes. No state. Positions are in characters. */

import type { Change } from '../../lib/transcript';
import type { CheckFinding, Line } from '../../lib/types';

/** The words of a finding are still where it says. */
export function holds(finding: CheckFinding, text: string): boolean {
  return [...text].slice(finding.at, finding.at + finding.length).join('') === finding.from;
}

/** One change a line that writes all of these findings; those whose words have changed meanwhile are left out. */
export function accepting(findings: CheckFinding[], lineOf: (id: string) => Line | null): Change[] {
  const byLine = new Map<string, CheckFinding[]>();
  for (const finding of findings) {
    if (finding.to !== null) byLine.set(finding.line, [...(byLine.get(finding.line) ?? []), finding]);
  }
  const changes: Change[] = [];
  for (const [id, all] of byLine) {
    const line = lineOf(id);
    if (!line) continue;
    const points = [...line.text];
    // From behind, so that the places before stay right.
    for (const one of all.filter((f) => holds(f, line.text)).sort((a, b) => b.at - a.at)) {
      points.splice(one.at, one.length, ...(one.to ?? one.from));
    }
    const text = points.join('');
    if (text !== line.text && text !== '') changes.push({ line: id, base: line.revision, set: { text } });
  }
  return changes;
}

/** The others that say the same of the same words. */
export function alike(finding: CheckFinding, all: CheckFinding[]): CheckFinding[] {
  if (finding.to === null) return [];
  return all.filter((f) => f.kind === finding.kind && f.from === finding.from && f.to === finding.to && !f.ignored);
}

/** The words of a finding with a little of what stands around them. */
export function context(finding: CheckFinding, text: string, around = 14): { head: string; words: string; tail: string } {
  const points = [...text];
  const from = Math.max(0, finding.at - around);
  const end = finding.at + finding.length;
  const to = Math.min(points.length, end + around);
  return {
    head: (from > 0 ? '…' : '') + points.slice(from, finding.at).join(''),
    words: points.slice(finding.at, end).join(''),
    tail: points.slice(end, to).join('') + (to < points.length ? '…' : ''),
  };
}
