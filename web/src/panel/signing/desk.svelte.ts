/** What the clerk does after 闭庭: lay the words before people, take signatures, objections, corrections, files. */

import { api } from '../../lib/api';
import type { Line, Signer, SigningState } from '../../lib/types';
import type { Acts } from '../acts.svelte';
import type { Point } from './strokes';

export const KINDS = ['pdf', 'docx', 'srt', 'vtt', 'json'] as const;
export type DocumentKind = (typeof KINDS)[number];

/** A document of a long hearing takes its time. */
const PATIENCE_MS = 300_000;

export function newName(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class SigningDesk {
  /** what is being fetched */
  fetching = $state<DocumentKind | null>(null);

  constructor(
    private readonly acts: Acts,
    private readonly take: (value: SigningState) => void,
  ) {}

  lay(despite: boolean): Promise<boolean> {
    return this.#post('final', { despite });
  }

  sign(person: Signer, name: string, transcript: string, strokes: Point[][], size: [number, number]): Promise<boolean> {
    return this.#post('signatures', { role: person.role, name, act: 'sign', transcript, strokes, size });
  }

  say(role: string, name: string, act: 'refuse' | 'absent' | 'expect', transcript: string, reason = ''): Promise<boolean> {
    return this.#post('signatures', { role, name, act, transcript, reason });
  }

  /** Another text for a line; what was signed before is to be signed again. */
  correct(line: Line, text: string, act: 'edit' | 'objection', reason: string, id = newName()): Promise<boolean> {
    const changes = [{ line: line.id, base: line.revision, set: { text } }];
    const body = { id, act, tab: 'signing', reason, changes, reopen: true };
    return this.acts.run('correct', () => api.post('/api/transcript/revisions', body));
  }

  async objection(
    line: Line,
    by: { role: string; name: string },
    wants: string,
    refused: string | null,
    played: { from_ms: number; to_ms: number } | null,
  ): Promise<boolean> {
    const revision = newName();
    if (refused === null && !(await this.correct(line, wants, 'objection', `${by.role}${by.name}提出异议`, revision))) return false;
    return this.#post('objections', {
      line: line.id,
      text: line.text,
      by,
      wants,
      outcome: refused === null ? 'corrected' : 'refused',
      ...(refused === null ? { revision } : { reason: refused }),
      ...(played ? { replayed_from_ms: played.from_ms, replayed_to_ms: played.to_ms } : {}),
    });
  }

  /** Fetch a document and hand it to the browser. */
  fetch(kind: DocumentKind): Promise<boolean> {
    return this.acts.run('document', async () => {
      this.fetching = kind;
      try {
        const answer = await api.raw(`/api/transcript/document.${kind}`, AbortSignal.timeout(PATIENCE_MS));
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

  #post(path: string, body: Record<string, unknown>): Promise<boolean> {
    return this.acts.run('signing', async () => {
      this.take(await api.post<SigningState>(`/api/transcript/${path}`, { id: newName(), ...body }));
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
