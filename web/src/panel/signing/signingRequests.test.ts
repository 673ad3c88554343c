import { beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../lib/api';
import type { Signer } from '../../lib/types';
import { PanelCommands } from '../panelCommands.svelte';
import { SigningRequests, newName, type Ruling } from './signingRequests.svelte';

/** A server that takes each act once by its name; `lose`: whose answers are lost, and whether the act is, too. */
class SigningServer {
  sent: { path: string; id: string; body: Record<string, unknown> }[] = [];
  done = new Map<string, string>();
  lose: { path: string; error: ApiError; taken: boolean }[] = [];

  post = (path: string, said: unknown): Promise<unknown> => {
    const body = said as Record<string, unknown> & { id: string };
    this.sent.push({ path, id: body.id, body });
    const lost = this.lose[0]?.path === path ? this.lose.shift() : undefined;
    if (!lost || lost.taken) this.done.set(body.id, path);
    return lost ? Promise.reject(lost.error) : Promise.resolve({});
  };

  did(path: string): number {
    return [...this.done.values()].filter((one) => one.endsWith(path)).length;
  }
}

const OFFLINE = new ApiError('offline', 'away', 0);
const PERSON: Signer = { role: '被告', name: '李建国', bench: false, state: 'waiting', reason: '', at_utc_ms: null, signature: null };
let server: SigningServer;
let requests: SigningRequests;

function open(): SigningRequests {
  return new SigningRequests(new PanelCommands(), () => undefined, 'h', localStorage, server.post);
}

function ruling(more: Partial<Ruling> = {}): Ruling {
  const said = { line: 'u1', base: 4, text: '三十万', struck: false, by: { role: '被告', name: '李建国' }, wants: '二十五万' };
  return { id: newName(), revision: newName(), ...said, refused: null, played: null, ...more };
}

beforeEach(() => {
  localStorage.clear();
  server = new SigningServer();
  requests = open();
});

describe('an objection that is upheld', () => {
  it('is on record when the second of its two acts is lost at first', async () => {
    server.lose = [{ path: '/api/transcript/objections', error: OFFLINE, taken: false }];
    const made = ruling();
    expect(await requests.objection(made)).toBe(false);
    expect(requests.unfinished.map((one) => one.id)).toEqual([made.id]);
    expect(await requests.objection(made)).toBe(true);
    expect([server.did('revisions'), server.did('objections'), requests.unfinished.length, localStorage.length]).toEqual([1, 1, 0, 0]);
    expect(server.sent.at(-1)?.body).toMatchObject({ id: made.id, outcome: 'corrected', revision: made.revision, text: '三十万' });
  });

  it('is gone on with by a page that is loaded again', async () => {
    server.lose = [{ path: '/api/transcript/revisions', error: OFFLINE, taken: true }];
    const made = ruling();
    await requests.objection(made);
    requests = open();
    const [kept] = requests.unfinished;
    expect(kept).toEqual(made);
    if (kept) await requests.objection(kept);
    expect([server.did('revisions'), server.did('objections'), requests.unfinished.length]).toEqual([1, 1, 0]);
  });

  it('is not begun when the room has not taken the correction', async () => {
    server.lose = [{ path: '/api/transcript/revisions', error: new ApiError('conflict', 'changed', 409), taken: false }];
    expect(await requests.objection(ruling())).toBe(false);
    expect([requests.unfinished.length, server.did('objections'), localStorage.length]).toEqual([0, 0, 0]);
  });

  it('brings a struck line back', async () => {
    await requests.objection(ruling({ struck: true }));
    expect(server.sent[0]?.body.changes).toEqual([{ line: 'u1', base: 4, set: { text: '二十五万', struck: false } }]);
  });

  it('changes no words where it is refused', async () => {
    await requests.objection(ruling({ refused: '与录音一致' }));
    expect(server.sent.map((one) => one.path)).toEqual(['/api/transcript/objections']);
    expect(server.sent[0]?.body).toMatchObject({ outcome: 'refused', reason: '与录音一致' });
  });
});

describe('what is sent again for want of an answer', () => {
  it('is one signature, also when the name was written once more', async () => {
    server.lose = [{ path: '/api/transcript/signatures', error: OFFLINE, taken: true }];
    await requests.sign(PERSON, '李建国', 'a', [[[0, 0, 0, 1]]], [10, 10]);
    await requests.sign(PERSON, '李建国', 'a', [[[0.5, 0, 0, 1]]], [10, 10]);
    expect([server.sent.length, server.did('signatures')]).toEqual([2, 1]);
  });

  it('is another act when it says something else, or was answered', async () => {
    await requests.declare('证人', '王某', 'expect', '');
    await requests.declare('证人', '王某', 'expect', '');
    await requests.declare('被告', '李建国', 'refuse', 'a', '未获准许');
    server.lose = [{ path: '/api/transcript/signatures', error: OFFLINE, taken: true }];
    await requests.declare('被告', '李建国', 'refuse', 'a', '一');
    await requests.declare('被告', '李建国', 'refuse', 'a', '二');
    expect(server.did('signatures')).toBe(5);
  });
});
