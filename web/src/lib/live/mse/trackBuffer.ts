/** One track's way into one SourceBuffer: init segments and whole fragments in order, bounded, from key frame to key frame.
 *
 * Refuses to grow: what waits is at most `MAX_WAITING` fragments, then everything before the last key frame goes. What is
 * buffered is cut whenever something was appended, never by a timer, which a hidden tab hardly has: behind the cursor, and
 * behind the live edge where the cursor stands still. When the browser's quota is full all the same, what was shown goes
 * and the append is tried again; then what nobody will look at any more, since the live edge is where one goes on.
 * Pictures are said to last long enough (`PictureLengths`); `edgeS` tells where they end all the same.
 */

import { type Envelope, KIND, parseInit, sameBytes } from '../../envelope';
import type { Broken } from '../liveStats';
import { SequenceGate } from '../sequenceGate';
import { type LastPicture, PictureLengths } from './pictureLengths';

const MAX_WAITING = 150;
/** Media kept behind the cursor, seconds. */
const KEEP_BEHIND_S = 8;
/** Media kept behind the live edge, seconds: a cursor that stands still, as in a hidden tab, keeps no more than that. */
const KEEP_MOST_S = 20;
/** Media behind the live edge that stays even when the quota is full, seconds. */
const KEEP_LEAST_S = 2;

type Bytes = Uint8Array<ArrayBuffer>;

interface Waiting {
  init: boolean;
  key: boolean;
  mime: string;
  bytes: Bytes;
  last: LastPicture | null;
}

export class TrackBuffer {
  mime = '';
  #init: Waiting | null = null;
  #initId = -1;
  #told: Bytes | null = null;
  #gate = new SequenceGate();
  /** Of pictures, where the init is understood. */
  #lengths: PictureLengths | null = null;
  /** The sequence of the last fragment that was taken; -1: none that the next one follows. */
  #sequence = -1;
  /** By how much longer than expected the newest picture is said to last, seconds: of what is appended, and was before. */
  #appendsS = 0;
  #overS = 0;
  #waiting: Waiting[] = [];
  #source: SourceBuffer | null = null;
  #sourceMime = '';
  #abort = new AbortController();

  constructor(
    /** A SourceBuffer took something: look at the buffered ranges. */
    private readonly onAppended: () => void,
    /** This MediaSource cannot go on. */
    private readonly onBroken: (why: Broken) => void,
    private readonly now: () => number,
    /** Media was dropped that had not been shown, because the browser holds no more. */
    private readonly onCut: () => void = () => undefined,
  ) {}

  get ready(): boolean {
    return this.#init !== null;
  }

  /** Where what was appended ends, seconds; infinite while nothing was. */
  get edgeS(): number {
    const end = this.#source === null ? Number.NEGATIVE_INFINITY : edge(this.#source);
    return end === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : end - this.#overS;
  }

  /** True when the init segment is a new one for this track. */
  take(envelope: Envelope): boolean {
    if (envelope.kind === KIND.init) return this.#takeInit(envelope);
    if (envelope.kind !== KIND.fragment || envelope.initId !== this.#initId) return false;
    const key = envelope.keyFrame || this.mime.startsWith('audio/');
    if (!this.#gate.passes(envelope.sequence, key)) return false;
    const follows = envelope.sequence === (this.#sequence + 1) % 2 ** 32;
    this.#sequence = envelope.sequence;
    const last = this.#lengths?.came(envelope.payload, follows) ?? null;
    this.#waiting.push({ init: false, key, mime: '', bytes: envelope.payload, last });
    this.#bound();
    this.#pump();
    return false;
  }

  /** Start over in a new MediaSource: the init segment again, then from the next key frame. */
  attach(media: MediaSource): void {
    this.detach();
    const source = media.addSourceBuffer(this.mime);
    const { signal } = this.#abort;
    source.addEventListener('updateend', () => this.#updated(), { signal });
    source.addEventListener('error', () => this.onBroken('failed'), { signal });
    this.#source = source;
    this.#overS = 0;
    this.#sourceMime = this.mime;
    this.#pump();
  }

  detach(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#source = null;
  }

  /** Forget what waits (it belonged to a MediaSource that is gone). */
  restart(): void {
    this.detach();
    this.#waiting = this.#init ? [this.#init] : [];
    this.#gate.lose();
  }

  #takeInit(envelope: Envelope): boolean {
    const init = parseInit(envelope.payload);
    if (init === null || (envelope.initId === this.#initId && sameBytes(envelope.payload, this.#told))) return false;
    this.mime = init.mime;
    this.#initId = envelope.initId;
    this.#told = envelope.payload;
    this.#gate.lose();
    this.#init = { init: true, key: true, mime: init.mime, bytes: init.segment, last: null };
    this.#lengths = init.mime.startsWith('video/') ? lengthsOf(init.segment) : null;
    this.#waiting.push(this.#init);
    this.#pump();
    return true;
  }

  #bound(): void {
    if (this.#waiting.length <= MAX_WAITING) return;
    const lastKey = this.#waiting.findLastIndex((w) => w.key && !w.init);
    const kept = this.#waiting.slice(Math.max(lastKey, 0));
    this.#waiting = this.#init ? [this.#init, ...kept] : kept;
  }

  #pump(): void {
    const source = this.#source;
    const first = this.#waiting[0];
    if (source === null || source.updating || first === undefined) return;
    let count = 1;
    if (!first.init) while (count < this.#waiting.length && !this.#waiting[count]?.init) count += 1;
    const taken = this.#waiting.slice(0, count);
    const overS = this.#write(taken);
    try {
      if (first.init && first.mime !== this.#sourceMime) source.changeType(first.mime);
      if (first.init) this.#sourceMime = first.mime;
      source.appendBuffer(taken.length === 1 ? first.bytes : join(taken.map((w) => w.bytes)));
      this.#waiting.splice(0, count);
      if (!first.init) this.#appendsS = overS;
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') this.#makeRoom(source);
      else this.onBroken('failed');
    }
  }

  /** Say how long these pictures last; by how much the last of them is said to last longer than expected, seconds. */
  #write(taken: Waiting[]): number {
    let overS = 0;
    for (const { last } of taken) overS = last === null ? 0 : (this.#lengths?.write(last) ?? 0);
    return overS;
  }

  #updated(): void {
    const source = this.#source;
    if (source === null) return;
    this.#overS = this.#appendsS;
    this.onAppended();
    if (!this.#forget(source, Math.max(this.now() - KEEP_BEHIND_S, edge(source) - KEEP_MOST_S), KEEP_BEHIND_S / 2)) this.#pump();
  }

  /** The buffer is full. What is removed has the append tried again; when nothing can be, this MediaSource is at its end. */
  #makeRoom(source: SourceBuffer): void {
    if (this.#forget(source, this.now() - 1, 0)) return;
    if (this.#forget(source, edge(source) - KEEP_LEAST_S, 0)) this.onCut();
    else this.onBroken('full');
  }

  #forget(source: SourceBuffer, before: number, slack: number): boolean {
    if (source.updating || source.buffered.length === 0) return false;
    if (source.buffered.start(0) >= before - slack) return false;
    source.remove(0, before);
    return true;
  }
}

/** Where the buffered media ends, seconds. */
function edge(source: SourceBuffer): number {
  const { buffered } = source;
  return buffered.length === 0 ? Number.NEGATIVE_INFINITY : buffered.end(buffered.length - 1);
}

function lengthsOf(segment: Bytes): PictureLengths | null {
  try {
    return new PictureLengths(segment);
  } catch {
    return null; // it is the element that refuses what is no init
  }
}

function join(parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
