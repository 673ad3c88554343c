/**
 * Puts a page's early script (`<!-- src/PAGE/early.ts -->` in its head) before all its others, as a chunk of its own.
 *
 * A page's scripts are one chunk and what that shares with other pages: the first of them waits for the last, and for the
 * styles. An `async` script of a few kilobytes runs as soon as it is there.
 */

import { fileURLToPath } from 'node:url';

const PLACE = /<!-- (src\/\w+\/early\.ts) -->/;

/** @param {readonly string[]} scripts of all pages, as they are named there
 *  @returns {import('vite').Plugin} */
export function earlyScripts(scripts) {
  let building = false;
  return {
    name: 'early-scripts',
    configResolved(config) {
      building = config.command === 'build';
    },
    buildStart() {
      if (!building) return;
      for (const script of scripts) {
        this.emitFile({ type: 'chunk', id: fileURLToPath(new URL(`../${script}`, import.meta.url)), name: 'early' });
      }
    },
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const script = PLACE.exec(html)?.[1];
        if (script === undefined) return html;
        if (bundle === undefined) return html.replace(PLACE, `<script type="module" async src="/${script}"></script>`);
        const chunk = Object.values(bundle).find((one) => one.type === 'chunk' && one.facadeModuleId?.endsWith(`/${script}`));
        if (chunk === undefined) throw new Error(`a page begins with ${script}, which vite.config.ts does not name`);
        const links = needed(bundle, chunk.fileName).map((file) => `<link rel="modulepreload" crossorigin href="/${file}">`);
        const first = `<script type="module" async crossorigin src="/${chunk.fileName}"></script>`;
        return html.replace(PLACE, [first, ...links].join('\n    '));
      },
    },
  };
}

/** The chunks without which one does not run.
 *  @param {Record<string, import('vite').Rollup.OutputAsset | import('vite').Rollup.OutputChunk>} bundle
 *  @param {string} of
 *  @returns {string[]} */
function needed(bundle, of) {
  const found = new Set([of]);
  for (const file of found) {
    const chunk = bundle[file];
    if (chunk?.type === 'chunk') for (const one of chunk.imports) found.add(one);
  }
  found.delete(of);
  return [...found];
}
