import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: '/',
  plugins: [svelte()],
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
