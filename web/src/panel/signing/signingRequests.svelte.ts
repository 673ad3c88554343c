/** What the clerk does after 闭庭: submit the words for signature, take signatures, objections, corrections, files. */

import { ApiError, api } from '../../lib/api';
import { abortAfter } from '../../lib/browser/abortAfter';
import type { Signer, SigningState } from '../../lib/types';
import type { PanelCommands } from '../panelCommands.svelte';
import { BrowserStore } from '../browserStore';
import type { Point } from './strokes';

export const DOCUMENT_KINDS = ['pdf', 'docx', 'srt', 'vtt', 'json'] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

/** A document of a long hearing takes its time. */
const PATIENCE_MS = 300_000;
/** The room has not taken a correction, and would not take it again. */
const REFUSED = new Set(['conflict', 'invalid', 'not-found', 'no-hearing']);

export function newName(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** An objection and what the clerk made of it. Its names are drawn once: sent again it is the same act. */
export interface Ruling {
  id: string;
  /** The name of the revision, where the line is corrected. */
  revision: string;
  line: string;
  /** The version and the text that was objected to; `struck`: a correction brings the line back. */
  base: number;
  text: string;
  struck: boolean;
  by: { role: string; name: string };
  wants: string;
  /** Why the correction is denied; null where the line is corrected. */
  refused: string | null;
  played: { from_ms: number; to_ms: number } | null;
}

type PostSigning = (path: string, body: unknown) => Promise<unknown>;

export class SigningRequests {
  /** The document that is being fetched. */
  fetching = $state<DocumentKind | null>(null);
  /** Objections whose correction may be in the words already, and which are not on record yet. */
  unfinished = $state<Ruling[]>([]);
  readonly #kept: BrowserStore<Ruling>;
  /** The names of the acts that were sent without an answer. */
  readonly #names = new Map<string, string>();

  constructor(
    private readonly commands: Pick<PanelCommands, 'run'>,
    private readonly take: (value: SigningState) => void,
    hearing: string,
    storage: Storage = localStorage,
    private readonly post: PostSigning = (path, body) => api.post(path, body),
  ) {
    this.#kept = new BrowserStore(storage, `wutong.objection.${hearing}/`);
    this.unfinished = Object.values(this.#kept.all());
  }

  submit(despite: boolean): Promise<boolean> {
    return this.#post('final', { despite });
  }

  sign(person: Signer, name: string, transcript: string, strokes: Point[][], size: [number, number]): Promise<boolean> {
    const who = { role: person.role, name, act: 'sign', transcript };
    // Whoever writes the name once more because no answer came has signed once.
    return this.#post('signatures', { ...who, strokes, size }, who);
  }

  declare(role: string, name: string, act: 'refuse' | 'absent' | 'expect', transcript: string, reason = ''): Promise<boolean> {
    return this.#post('signatures', { role, name, act, transcript, reason });
  }

  /** Put an objection on record, and the correction with it where it is upheld; what was signed before is to be signed
   * again. One that was begun is kept in this browser until both are in the log. */
  objection(ruling: Ruling): Promise<boolean> {
    return this.commands.run('signing', async () => {
      if (ruling.refused === null) await this.#correct(ruling);
      const { id, line, text, by, wants, refused, revision, played } = ruling;
      const body = {
        ...{ id, line, text, by, wants, outcome: refused === null ? 'corrected' : 'refused' },
        ...(refused === null ? { revision } : { reason: refused }),
        ...(played ? { replayed_from_ms: played.from_ms, replayed_to_ms: played.to_ms } : {}),
      };
      this.take((await this.post('/api/transcript/objections', body)) as SigningState);
      this.drop(ruling.id);
    });
  }

  /** An unfinished one is let be, by a person's word. */
  drop(id: string): void {
    this.unfinished = this.unfinished.filter((one) => one.id !== id);
    this.#kept.drop(id);
  }

  async #correct(ruling: Ruling): Promise<void> {
    const { id, revision, line, base, wants, by, struck } = ruling;
    if (!this.unfinished.some((one) => one.id === id)) {
      this.unfinished.push(ruling);
      this.#kept.put(id, ruling);
    }
    const set = { text: wants, ...(struck ? { struck: false } : {}) };
    const body = { id: revision, act: 'objection', tab: 'signing', reason: `${by.role}${by.name}提出异议`, changes: [{ line, base, set }] };
    try {
      await this.post('/api/transcript/revisions', { ...body, reopen: true });
    } catch (error) {
      // Refused, so no word was changed; anything else may have been written.
      if (error instanceof ApiError && REFUSED.has(error.code)) this.drop(id);
      throw error;
    }
  }

  /** Fetch a document and hand it to the browser. */
  fetch(kind: DocumentKind): Promise<boolean> {
    return this.commands.run('document', async () => {
      this.fetching = kind;
      try {
        const answer = await api.raw(`/api/transcript/document.${kind}`, abortAfter(PATIENCE_MS));
        const url = URL.createObjectURL(await answer.blob());
        const link = document.createElement('a');
        link.href = url;
        link.download = nameOf(answer, kind);
        link.click();
        setTimeout(() => URL.revokeObjectURL(url), 10_000);
      } finally {
        this.fetching = null;
      }
    });
  }

  /** The same (`what`) sent again for want of an answer has the same name, so that it is one act. */
  #post(path: string, body: Record<string, unknown>, what: Record<string, unknown> = body): Promise<boolean> {
    return this.commands.run('signing', async () => {
      const key = JSON.stringify([path, what]);
      const id = this.#names.get(key) ?? newName();
      this.#names.set(key, id);
      this.take((await this.post(`/api/transcript/${path}`, { id, ...body })) as SigningState);
      this.#names.delete(key);
    });
  }
}

function nameOf(answer: Response, kind: string): string {
  const said = /filename\*=utf-8''([^;]+)/i.exec(answer.headers.get('content-disposition') ?? '');
  try {
    return said?.[1] ? decodeURIComponent(said[1]) : `transcript.${kind}`;
  } catch {
    return `transcript.${kind}`;
  }
}
