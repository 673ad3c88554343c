/** The kinds of marks that a clerk sets with one touch. The kind on the record is the court's own word. */

import { MESSAGES, t } from '../lib/i18n.svelte';
import type { Key } from '../lib/i18n.svelte';
import type { Case } from '../lib/types';

const USUAL = ['举证', '质证', '辩论', '陈述', '纪律'] as const;
const MOST = 5;

/** The buttons below the hearing: those of its kind of case, as many as have room. */
export function quickMarks(of: Case): readonly string[] {
  return of.marks?.length ? of.marks.slice(0, MOST) : USUAL;
}

/** All kinds of marks with words. */
export function markKinds(of: Case): string[] {
  return [...new Set([...(of.marks?.length ? of.marks : USUAL), '其他'])];
}

/** A kind in the language of the page; kinds that other programs made stay as they are. */
export function markName(kind: string): string {
  const key = `mark.${kind}`;
  return key in MESSAGES.zh ? t(key as Key) : kind;
}
