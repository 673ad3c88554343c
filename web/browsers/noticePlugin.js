/**
 * Puts notice.js before everything else in each page, with the least versions written into it.
 *
 * It is a file of its own among the assets because the pages' policy allows no script inside a page, and its name holds
 * the hash of its content because assets are cached for ever.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LEAST } from './least.js';

const PLACE = '<!-- browsers/notice.js -->';

/** The script as browsers get it. */
export function noticeScript() {
  return readFileSync(join(import.meta.dirname, 'notice.js'), 'utf8').replace('__LEAST__', JSON.stringify(LEAST));
}

/** @returns {import('vite').Plugin} */
export function browserNotice() {
  const script = noticeScript();
  const fileName = `assets/notice-${createHash('sha256').update(script).digest('hex').slice(0, 8)}.js`;
  let building = false;
  return {
    name: 'browser-notice',
    configResolved(config) {
      building = config.command === 'build';
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName, source: script });
    },
    transformIndexHtml: {
      order: 'post',
      handler(html) {
        if (!html.includes(PLACE)) throw new Error(`a page lacks ${PLACE} in its head`);
        return html.replace(PLACE, building ? `<script src="/${fileName}"></script>` : `<script>${script}</script>`);
      },
    },
  };
}
