/**
 * The least versions of browsers, from `browserslist` in package.json, where they stand for everything: the syntax that
 * the build writes, the check of what is built (checkBuild.js), the notice in the pages (notice.js) and the tests.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {'chrome' | 'firefox'} Engine */

/** @returns {Record<Engine, number>} */
function read() {
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
  /** @type {{ browserslist: string[] }} */
  const { browserslist } = JSON.parse(text);
  const least = { chrome: 0, firefox: 0 };
  for (const query of browserslist) {
    const [, engine, version] = /^(chrome|firefox) >= (\d+)$/.exec(query) ?? [];
    if (engine === undefined) throw new Error(`browserslist in package.json: say "chrome >= N" or "firefox >= N", not "${query}"`);
    least[/** @type {Engine} */ (engine)] = Number(version);
  }
  return least;
}

export const LEAST = read();

/** As the build's targets are written. */
export const TARGETS = Object.entries(LEAST).map(([engine, version]) => `${engine}${version}`);
