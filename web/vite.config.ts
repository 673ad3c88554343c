import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { TARGETS } from './browsers/least.js';
import { earlyScripts } from './browsers/earlyPlugin.js';
import { browserNotice } from './browsers/noticePlugin.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: '/',
  plugins: [svelte(), browserNotice(), earlyScripts(['src/inspect/early.ts'])],
  build: {
    target: TARGETS,
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the pages' policy allows no data: scripts or fonts
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      input: {
        panel: here('./panel.html'),
        display: here('./display.html'),
        inspect: here('./inspect.html'),
        view: here('./view.html'),
        admin: here('./admin.html'),
        account: here('./account.html'),
        setup: here('./setup.html'),
      },
    },
  },
});
