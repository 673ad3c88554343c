/**
 * Refuses a build (dist/) that uses what the least browsers have not: the scripts and style sheets as they are served, so
 * that what Svelte and other packages bring is looked at, too.
 *
 * Scripts are judged by names: a method that is called, whose name nothing older bears and no script gives to an object of
 * its own; a member of a global object that is named with it; and a global. What src/lib/browser/polyfills.ts adds may be
 * used. What else may, and why, is in allowed.js; what stands there and is not used is refused as well.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import postcss from 'postcss';
import { parseAst } from 'vite';
import { ALLOWED } from './allowed.js';
import { LEAST } from './least.js';
import { scriptMembers, styleWords } from './newer.js';

const ASSETS = join(import.meta.dirname, '../dist/assets');
const POLYFILLS = join(import.meta.dirname, '../src/lib/browser/polyfills.ts');

/** "Array.findLast" of 'core-js/stable/array/find-last', in lower case and without dashes. */
const polyfilled = new Set(
  [...readFileSync(POLYFILLS, 'utf8').matchAll(/'core-js\/stable\/([\w-]+)\/([\w-]+)'/g)].map(([, owner, name]) =>
    `${owner}.${name}`.replaceAll('-', ''),
  ),
);

const members = scriptMembers();
/** Names that something older bears: seen alone they say nothing. */
const old = new Set(members.filter(({ there }) => there).map(({ name }) => name));
const newer = members.filter(({ there, owner, name }) => !there && !polyfilled.has(`${owner}.${name}`.toLowerCase()));
const provided = new Set(members.filter(({ owner, name }) => polyfilled.has(`${owner}.${name}`.toLowerCase())).map(({ name }) => name));
const alone = new Set(newer.filter(({ owner, name }) => owner !== '' && !old.has(name) && !provided.has(name)).map(({ name }) => name));
const named = new Set(newer.filter(({ owner, where }) => owner !== '' && where !== 'prototype').map(({ owner, name }) => `${owner}.${name}`));
const globals = new Set(newer.filter(({ owner, name }) => owner === '' && !old.has(name)).map(({ name }) => name));

/** @param {any} node @param {(node: any) => void} visit */
function walk(node, visit) {
  if (Array.isArray(node)) for (const one of node) walk(one, visit);
  if (node === null || typeof node !== 'object' || typeof node.type !== 'string') return;
  visit(node);
  for (const value of Object.values(node)) if (typeof value === 'object') walk(value, visit);
}

/** Names of methods and properties that the script itself gives to its objects. @param {any} script @param {Set<string>} into */
function definedNames(script, into) {
  walk(script, (node) => {
    if (/^(MethodDefinition|PropertyDefinition|Property)$/.test(node.type) && node.key.type === 'Identifier') into.add(node.key.name);
    if (node.type === 'AssignmentExpression' && node.left.type === 'MemberExpression') into.add(node.left.property.name);
  });
}

/** @param {any} script @param {Set<string>} defined @param {(found: string) => void} report */
function lookThroughScript(script, defined, report) {
  walk(script, (node) => {
    if (node.type === 'MemberExpression' && !node.computed) {
      const full = `${node.object.name ?? ''}.${node.property.name}`;
      if (named.has(full)) report(full);
    }
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return;
    const { callee } = node;
    if (callee.type === 'Identifier' && globals.has(callee.name)) report(callee.name);
    if (callee.type !== 'MemberExpression' || callee.computed) return;
    if (alone.has(callee.property.name) && !defined.has(callee.property.name)) report(callee.property.name);
  });
}

const styles = styleWords();
const tooNew = (/** @type {string} */ word) => styles.get(word) === false;

/** @param {string} text @param {(found: string) => void} report */
function lookThroughStyle(text, report) {
  const say = (/** @type {string} */ word) => tooNew(word) && report(word);
  postcss.parse(text).walk((node) => {
    if (node.type === 'atrule') say(`at:${node.name}`);
    if (node.type === 'rule') for (const [, pseudo] of node.selector.matchAll(/:([a-z-]+)/g)) say(`selector:${pseudo}`);
    if (node.type !== 'decl') return;
    say(`property:${node.prop}`);
    for (const [word] of node.value.replace(/"[^"]*"|'[^']*'/g, '').matchAll(/[a-z-]+/g)) say(`value:${node.prop}:${word}`);
    for (const [, name] of node.value.matchAll(/([a-z-]+)\(/g)) say(`function:${name}`);
    if (/\d[dsl]v([hwib]|min|max)\b/.test(node.value)) report('unit:dvh');
  });
}

if (!existsSync(ASSETS)) throw new Error('there is no dist/: run `npm run build` first');
/** @type {Map<string, Set<string>>} */
const found = new Map();
const texts = readdirSync(ASSETS).map((file) => ({ file, text: () => readFileSync(join(ASSETS, file), 'utf8') }));
const scripts = texts.filter(({ file }) => /\.m?js$/.test(file)).map(({ file, text }) => ({ file, script: parseAst(text()) }));
const defined = new Set();
for (const { script } of scripts) definedNames(script, defined);
const reporter = (/** @type {string} */ file) => (/** @type {string} */ name) => found.set(name, (found.get(name) ?? new Set()).add(file));
for (const { file, script } of scripts) lookThroughScript(script, defined, reporter(file));
for (const { file, text } of texts) if (file.endsWith('.css')) lookThroughStyle(text(), reporter(file));

const least = Object.entries(LEAST).map(([engine, version]) => `${engine} ${version}`).join(' and ');
const refused = [...found].filter(([name]) => !(name in ALLOWED)).map(([name, files]) => `${name} is newer than ${least}: in ${[...files].join(', ')}`);
const unused = Object.keys(ALLOWED).filter((name) => !found.has(name)).map((name) => `${name} is allowed and not used: take it out of browsers/allowed.js`);
for (const line of [...refused, ...unused].sort()) process.stderr.write(`${line}\n`);
if (refused.length + unused.length > 0) {
  process.stderr.write('Do without it, add it to src/lib/browser/polyfills.ts, or ask before its use and say so in browsers/allowed.js.\n');
  process.exit(1);
}
