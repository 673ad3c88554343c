/** In which order a court names people. */

import type { Case } from './types';

const ORDER = [
  '审判长',
  '审判员',
  '人民陪审员',
  '法官助理',
  '书记员',
  '公诉人',
  '原告',
  '原告代理人',
  '被告',
  '被告代理人',
  '被告人',
  '辩护人',
  '第三人',
];

/** `order`: as the kind of the case said it; a hearing of before there were kinds has none. */
function rank(role: string, order: readonly string[]): number {
  const at = order.indexOf(role);
  return at < 0 ? order.length : at;
}

/** [role, name] of everybody named in a case, the bench first. */
export function partiesInOrder(of: Case): [string, string][] {
  const order = of.roles ?? ORDER;
  return Object.entries(of.parties).sort(([a], [b]) => rank(a, order) - rank(b, order));
}
