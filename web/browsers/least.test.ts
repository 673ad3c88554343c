import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LEAST } from './least.js';

it.each(['README.md', 'docs/operations.md'])('the least versions in %s are those of the build', (file) => {
  const text = readFileSync(`../${file}`, 'utf8');
  const named = [...text.matchAll(/\b(Chromium|Firefox) (\d+)\b(?=\*\*| or)/g)].map(([, engine, version]) => `${engine} ${version}`);
  expect(new Set(named)).toEqual(new Set([`Chromium ${LEAST.chrome}`, `Firefox ${LEAST.firefox}`]));
});
