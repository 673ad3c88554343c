/** For tests: the pages of administration, opened before a fake center, and what a person does with them. */

import { flushSync, mount, unmount } from 'svelte';
import { expect, vi } from 'vitest';
import App from './App.svelte';
import { FakeAdminCenter } from './fakeAdminCenter';

vi.setConfig({ testTimeout: 30_000 }); // these draw whole pages, beside other tests

export class AdminPages {
  readonly center = new FakeAdminCenter();
  #page: Record<string, unknown> | null = null;

  constructor() {
    // jsdom draws no dialogs: an open one is one with its attribute.
    HTMLDialogElement.prototype.showModal = function () {
      this.open = true;
    };
    HTMLDialogElement.prototype.close = function () {
      this.open = false;
      this.dispatchEvent(new Event('close'));
    };
  }

  async open(hash: string): Promise<void> {
    window.location.hash = hash;
    window.dispatchEvent(new Event('hashchange'));
    this.#page = mount(App, { target: document.body });
    await this.until(() => expect(this.text).not.toBe(''));
  }

  /** Waits until something holds, on a machine that may be busy with other tests. */
  async until(holds: () => void): Promise<void> {
    await vi.waitFor(holds, 10_000);
  }

  async close(): Promise<void> {
    if (this.#page) await unmount(this.#page);
    document.body.innerHTML = '';
    window.location.hash = '';
    vi.unstubAllGlobals();
  }

  get text(): string {
    flushSync();
    return document.body.textContent ?? '';
  }

  /** Waits until the page says something. */
  async sees(words: string): Promise<void> {
    await this.until(() => expect(this.text).toContain(words));
  }

  /** The first cell of each row. */
  get rows(): string[] {
    return [...document.querySelectorAll('tbody tr')].map((row) => row.querySelector('th')?.textContent?.trim() ?? '');
  }

  press(name: string): void {
    const named = (one: HTMLElement): boolean => (one.textContent ?? '').trim() === name || one.getAttribute('aria-label') === name;
    const all = [...document.querySelectorAll<HTMLElement>('dialog button'), ...document.querySelectorAll<HTMLElement>('button, a')];
    const found = all.find(named);
    if (!found) throw new Error(`no button ${name} in ${this.text}`);
    found.click();
    flushSync();
  }

  type(label: string, value: string): void {
    const found = [...document.querySelectorAll('label')].find((one) => (one.textContent ?? '').trim() === label);
    const field = document.getElementById(found?.htmlFor ?? '') ?? found?.querySelector('input');
    if (!(field instanceof HTMLInputElement)) throw new Error(`no field ${label}`);
    field.value = value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
  }

  /** Chooses the last court that the open dialog offers. */
  async chooseCourt(name: string): Promise<void> {
    document.querySelector<HTMLElement>('dialog [role=combobox]')?.click();
    const option = (): HTMLElement | undefined => [...document.querySelectorAll<HTMLElement>('dialog [role=option]')].find((one) => one.textContent?.includes(name));
    await this.until(() => expect(option()).toBeDefined());
    option()?.click();
    flushSync();
  }
}
