/** The kinds of marks that a clerk sets with one touch. The kind on the record is the court's own word. */

import { MESSAGES, t } from '../lib/i18n.svelte';
import type { Key } from '../lib/i18n.svelte';

export const QUICK_MARKS = ['举证', '质证', '辩论', '陈述', '纪律'] as const;
export const MARK_KINDS = [...QUICK_MARKS, '其他'] as const;

/** A kind in the language of the page; kinds that other programs made stay as they are. */
export function markName(kind: string): string {
  const key = `mark.${kind}`;
  return key in MESSAGES.zh ? t(key as Key) : kind;
}
