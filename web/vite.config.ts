import { cpSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const pdfjs = JSON.parse(readFileSync(here('./node_modules/pdfjs-dist/package.json'), 'utf8')) as { version: string };

/** Chinese PDFs without embedded fonts need pdf.js's character maps and fonts; they are served with the assets,
 * in a folder of their version, because assets are cached for ever. */
function pdfData(): Plugin {
  return {
    name: 'pdf-data',
    apply: 'build',
    closeBundle() {
      for (const folder of ['cmaps', 'standard_fonts', 'wasm']) {
        cpSync(here(`./node_modules/pdfjs-dist/${folder}`), here(`./dist/assets/pdf-${pdfjs.version}/${folder}`), { recursive: true });
      }
    },
  };
}

export default defineConfig({
  base: '/',
  plugins: [svelte(), pdfData()],
  build: {
    target: 'chrome120',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the pages' policy allows no data: scripts or fonts
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      input: { panel: here('./panel.html'), display: here('./display.html'), inspect: here('./inspect.html'), view: here('./view.html') },
    },
  },
});
