/** Starts a page in its `#app`, after what the browser lacks has been added. */

import './polyfills';
import { mount, type Component } from 'svelte';
import '../theme.css';

export function mountPage(page: Component): void {
  const target = document.getElementById('app');
  if (target === null) return; // browsers/notice.js has taken the page's place
  mount(page, { target });
}
