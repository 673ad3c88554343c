import { expect, test, vi } from 'vitest';
import { AccountStore } from './accountStore.svelte';

function json(body: unknown): Response {
  return new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' } });
}

test('nothing of the account is shown while its sessions are still awaited', async () => {
  let answer: (sessions: Response) => void = () => undefined;
  const sessions = new Promise<Response>((resolve) => (answer = resolve));
  vi.stubGlobal('fetch', (path: string) => (path.endsWith('/sessions') ? sessions : Promise.resolve(json({ name: '王管理' }))));
  const store = new AccountStore();
  const loaded = store.load();
  await new Promise((resolve) => setTimeout(resolve));
  expect([store.account, store.busy]).toEqual([null, true]);
  answer(json({ sessions: [{ id: 'one' }] }));
  await loaded;
  expect(store.account).toEqual({ name: '王管理' });
  expect(store.sessions.map(({ id }) => id)).toEqual(['one']);
  expect(store.busy).toBe(false);
});
