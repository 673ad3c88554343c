/** The tree keeps its own rules: each name once, nothing exported that nobody uses, no text that no page shows. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MESSAGES } from './lib/i18n.svelte';

const SRC = join(process.cwd(), 'src');
/** Names of the contract with the servers are not chosen here. */
const CONTRACT = /^lib\/(contract\/|types\.ts|center\.ts|words\.ts)/;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|svelte)$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));

const declared = files.flatMap(({ path, text }) =>
  [...text.matchAll(/^export (?:async )?(class|interface|type|function|const) (\w+)/gm)].map((match) => ({
    path,
    kind: match[1] ?? '',
    name: match[2] ?? '',
  })),
);

it('exports each name once', () => {
  const names = declared.filter(({ path }) => !path.startsWith('lib/messages/') && !CONTRACT.test(path)).map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

it('exports no value that no other file uses', () => {
  const values = declared.filter(({ path, kind }) => !CONTRACT.test(path) && kind !== 'interface' && kind !== 'type');
  const unused = values.filter(({ path, name }) => !files.some((file) => file.path !== path && new RegExp(`\\b${name}\\b`).test(file.text)));
  expect(unused).toEqual([]);
});

it('has each text in one file of messages, where no other can cover it', () => {
  const keys = files.filter(({ path }) => path.startsWith('lib/messages/')).flatMap(({ path, text }) => {
    const [zh = ''] = text.split('export const en');
    return [...zh.matchAll(/^ {2}(?:'([^']+)'|(\w+)):/gm)].map((match) => ({ path, key: match[1] ?? match[2] ?? '' }));
  });
  expect(keys.length).toBeGreaterThanOrEqual(Object.keys(MESSAGES.zh).length);
  expect(keys.filter(({ key }, i) => keys.findIndex((other) => other.key === key) !== i)).toEqual([]);
});

it('has no text that no page shows', () => {
  const code = files.filter(({ path }) => !/^lib\/messages\/|\.test\.ts$/.test(path)).map(({ text }) => text).join('\n');
  const made = [...code.matchAll(/`([\w-]+(?:\.[\w-]+)*\.)\$\{/g)].map((match) => match[1] ?? '');
  const shown = (key: string): boolean => code.includes(`'${key}'`) || code.includes(`\`${key}\``) || made.some((prefix) => key.startsWith(prefix));
  expect(Object.keys(MESSAGES.zh).filter((key) => !shown(key))).toEqual([]);
});
