/**
 * What browsers learned after the least versions, from MDN's browser-compat-data: functions and objects of scripts, and
 * words of style sheets. The check of the build (checkBuild.js) and the test in an old browser take both from here.
 *
 * `node browsers/newer.js` writes the scripts' part as JSON: [[object, name, where], …]; `object` is "" for a global, and
 * `where` it is: "object", "prototype" or, where the data do not tell, "either".
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LEAST } from './least.js';

/** @typedef {{ owner: string, name: string, where: 'object' | 'prototype' | 'either' }} Member */

const data = JSON.parse(readFileSync(join(import.meta.dirname, '../node_modules/@mdn/browser-compat-data/data.json'), 'utf8'));

/** "≤37" and true are old; false, null and "preview" are not there. @param {unknown} version */
function numbered(version) {
  if (version === true) return 0;
  return typeof version === 'string' && /^≤?\d/.test(version) ? Number.parseInt(version.replace('≤', ''), 10) : Infinity;
}

/** Do both least browsers have it, under its own name and without a switch? @param {any} feature */
function isThere(feature) {
  const support = feature.__compat?.support;
  if (support === undefined) return true; // a group of features
  return Object.entries(LEAST).every(([engine, least]) =>
    [support[engine] ?? []].flat().some((/** @type {any} */ one) => {
      const usable = one.flags === undefined && one.prefix === undefined && one.alternative_name === undefined;
      return usable && numbered(one.version_added) <= least && !(numbered(one.version_removed ?? false) <= least);
    }),
  );
}

/** @param {any} group @returns {[string, any][]} */
function parts(group) {
  return Object.entries(group).filter(([name]) => name !== '__compat');
}

/** All that scripts can name, with what it is. @returns {(Member & { there: boolean })[]} */
export function scriptMembers() {
  /** @type {(Member & { there: boolean })[]} */
  const found = [];
  for (const [owner, feature] of [...parts(data.api), ...parts(data.javascript.builtins)]) {
    const there = isThere(feature);
    found.push({ owner: '', name: owner, where: 'object', there });
    for (const [key, member] of parts(feature)) {
      if (!/^\w+$/.test(key) || key === owner) continue;
      const where = owner in data.javascript.builtins ? 'either' : key.endsWith('_static') ? 'object' : 'prototype';
      const name = key.replace(/_(static|event)$/, '');
      if (!key.endsWith('_event')) found.push({ owner, name, where, there: there && isThere(member) });
    }
  }
  // Members of the window can be named alone.
  return found.flatMap((one) => (one.owner === 'Window' ? [one, { ...one, owner: '', where: 'object' }] : [one]));
}

/** Words of style sheets: "property:field-sizing", "value:display:ruby", "at:container", "selector:has", "function:color-mix". */
export function styleWords() {
  /** @type {Map<string, boolean>} */
  const found = new Map();
  const add = (/** @type {string} */ word, /** @type {any} */ feature) => found.set(word, isThere(feature) && found.get(word) !== false);
  for (const [property, feature] of parts(data.css.properties)) {
    add(`property:${property}`, feature);
    for (const [value, one] of parts(feature)) add(`value:${property}:${value}`, one);
  }
  for (const [rule, feature] of parts(data.css['at-rules'])) add(`at:${rule}`, feature);
  for (const [selector, feature] of parts(data.css.selectors)) add(`selector:${selector}`, feature);
  const functions = (/** @type {any} */ group) => {
    for (const [name, feature] of parts(group)) {
      add(`function:${name}`, feature);
      functions(feature);
    }
  };
  functions(data.css.types);
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const newer = scriptMembers().filter((one) => !one.there);
  process.stdout.write(JSON.stringify(newer.map(({ owner, name, where }) => [owner, name, where])));
}
