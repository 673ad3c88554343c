import { beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../lib/api';
import type { Signer, SigningState } from '../../lib/types';
import { Acts } from '../acts.svelte';
import { SigningDesk, newName, type Ruling } from './desk.svelte';
import { LaidWords } from './laid.svelte';

const laid = (sha256: string, current = true): NonNullable<SigningState['transcript']> => ({
  ...{ id: sha256, version: 1, sha256, lines: 3, through: 0, at_utc_ms: 0, current },
});

describe('the words that a sheet was opened with', () => {
  it('are these for as long as nobody changes them', () => {
    const words = new LaidWords(laid('a'));
    expect([words.look(laid('a')), words.gone]).toEqual([true, false]);
  });

  it('are gone when others are laid while somebody draws, and stay so', () => {
    const words = new LaidWords(laid('a'));
    expect(words.look(laid('b'))).toBe(false);
    expect(words.look(laid('a')), 'the same again: the sheet is to be opened anew').toBe(false);
    expect(words.version?.sha256).toBe('a');
  });

  it('are gone when they are changed and not laid yet', () => {
    expect(new LaidWords(laid('a')).look(laid('a', false))).toBe(false);
    expect(new LaidWords(laid('a')).look(null)).toBe(false);
    expect(new LaidWords(null).gone).toBe(true);
  });
});

/** A server that takes each act once by its name; `lose`: whose answers are lost, and whether the act is, too. */
class Server {
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
let server: Server;
let desk: SigningDesk;

function open(): SigningDesk {
  return new SigningDesk(new Acts(), () => undefined, 'h', localStorage, server.post);
}

function ruling(more: Partial<Ruling> = {}): Ruling {
  const said = { line: 'u1', base: 4, text: '三十万', struck: false, by: { role: '被告', name: '李建国' }, wants: '二十五万' };
  return { id: newName(), revision: newName(), ...said, refused: null, played: null, ...more };
}

beforeEach(() => {
  localStorage.clear();
  server = new Server();
  desk = open();
});

describe('an objection that is upheld', () => {
  it('is on record when the second of its two acts is lost at first', async () => {
    server.lose = [{ path: '/api/transcript/objections', error: OFFLINE, taken: false }];
    const made = ruling();
    expect(await desk.objection(made)).toBe(false);
    expect(desk.unfinished.map((one) => one.id)).toEqual([made.id]);
    expect(await desk.objection(made)).toBe(true);
    expect([server.did('revisions'), server.did('objections'), desk.unfinished.length, localStorage.length]).toEqual([1, 1, 0, 0]);
    expect(server.sent.at(-1)?.body).toMatchObject({ id: made.id, outcome: 'corrected', revision: made.revision, text: '三十万' });
  });

  it('is gone on with by a page that is loaded again', async () => {
    server.lose = [{ path: '/api/transcript/revisions', error: OFFLINE, taken: true }];
    const made = ruling();
    await desk.objection(made);
    desk = open();
    const [kept] = desk.unfinished;
    expect(kept).toEqual(made);
    if (kept) await desk.objection(kept);
    expect([server.did('revisions'), server.did('objections'), desk.unfinished.length]).toEqual([1, 1, 0]);
  });

  it('is not begun when the room has not taken the correction', async () => {
    server.lose = [{ path: '/api/transcript/revisions', error: new ApiError('conflict', 'changed', 409), taken: false }];
    expect(await desk.objection(ruling())).toBe(false);
    expect([desk.unfinished.length, server.did('objections'), localStorage.length]).toEqual([0, 0, 0]);
  });

  it('brings a struck line back', async () => {
    await desk.objection(ruling({ struck: true }));
    expect(server.sent[0]?.body.changes).toEqual([{ line: 'u1', base: 4, set: { text: '二十五万', struck: false } }]);
  });

  it('changes no words where it is refused', async () => {
    await desk.objection(ruling({ refused: '与录音一致' }));
    expect(server.sent.map((one) => one.path)).toEqual(['/api/transcript/objections']);
    expect(server.sent[0]?.body).toMatchObject({ outcome: 'refused', reason: '与录音一致' });
  });
});

describe('what is sent again for want of an answer', () => {
  it('is one signature, also when the name was written once more', async () => {
    server.lose = [{ path: '/api/transcript/signatures', error: OFFLINE, taken: true }];
    await desk.sign(PERSON, '李建国', 'a', [[[0, 0, 0, 1]]], [10, 10]);
    await desk.sign(PERSON, '李建国', 'a', [[[0.5, 0, 0, 1]]], [10, 10]);
    expect([server.sent.length, server.did('signatures')]).toEqual([2, 1]);
  });

  it('is another act when it says something else, or was answered', async () => {
    await desk.say('证人', '王某', 'expect', '');
    await desk.say('证人', '王某', 'expect', '');
    await desk.say('被告', '李建国', 'refuse', 'a', '未获准许');
    server.lose = [{ path: '/api/transcript/signatures', error: OFFLINE, taken: true }];
    await desk.say('被告', '李建国', 'refuse', 'a', '一');
    await desk.say('被告', '李建国', 'refuse', 'a', '二');
    expect(server.did('signatures')).toBe(5);
  });
});
