import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist/', 'node_modules/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      'no-undef': 'off', // TypeScript knows better
      eqeqeq: 'error',
      'no-console': 'error',
      'max-lines': ['error', 400],
      'max-len': ['error', { code: 160, ignoreStrings: true, ignoreTemplateLiterals: true, ignorePattern: 'svelte-ignore' }],
      'svelte/prefer-svelte-reactivity': 'off', // maps and sets here are mostly bookkeeping that nothing is drawn from
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  // For browsers that are too old: the language that they know.
  {
    files: ['browsers/notice.js'],
    languageOptions: { ecmaVersion: 5, sourceType: 'script', globals: { __LEAST__: 'readonly' } },
    rules: { 'no-var': 'off', 'prefer-const': 'off', 'no-undef': ['error'] },
  },
  // Written by tools/make_contract.py; a reader begins at the types in Python.
  { files: ['src/lib/contract/*.ts'], rules: { 'max-lines': 'off', 'max-len': 'off' } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
);
