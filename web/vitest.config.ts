import { defineConfig, mergeConfig } from 'vitest/config';
import pages from './vite.config';

// Apart from the build's, so that who only builds the pages needs no Vitest.
export default mergeConfig(
  pages,
  defineConfig({
    // Vitest must take Svelte's browser build; without this it takes the server's.
    resolve: { conditions: ['browser', 'module', 'import', 'default'] },
    test: {
      environment: 'jsdom',
      isolate: false, // one browser environment a worker, not one a file: that is most of the time
      maxWorkers: 2,
      testTimeout: 30_000, // a page is drawn in no time, but not on a machine that is busy with other tests
      include: ['{src,browsers}/**/*.test.ts'],
    },
  }),
);
