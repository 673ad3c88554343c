/** What the center found wrong with a form, field by field, so that each field says its own. */

import { ApiError } from '../../lib/api';
import { sentence } from '../../lib/i18n.svelte';

interface FieldFault {
  field: string;
  text: string;
}

/** {field: words}; empty where the failure is not about fields. */
export function faultsOf(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError) || !Array.isArray(error.detail.faults)) return {};
  const faults = (error.detail.faults as unknown[]).filter(isFault);
  return Object.fromEntries(faults.map(({ field, text }) => [field, sentence(text)]));
}

function isFault(one: unknown): one is FieldFault {
  return one !== null && typeof one === 'object' && 'field' in one && 'text' in one && typeof one.field === 'string' && typeof one.text === 'string';
}
