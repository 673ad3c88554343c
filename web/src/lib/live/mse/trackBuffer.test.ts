import { beforeEach, expect, it } from 'vitest';
import { type Envelope, KIND } from '../../envelope';
import type { Broken } from '../liveStats';
import { asEnvelope, fragment, initMessage, soundInit } from '../codecs/fakeMedia';
import { TrackBuffer } from './trackBuffer';

/** Stands for the browser's SourceBuffer: a second a fragment, `quotaS` of them, nothing thrown out by itself. */
class Source extends EventTarget {
  updating = false;
  from = 0;
  to = 0;
  refused = 0;
  quotaS = Number.POSITIVE_INFINITY;
  appends = 0;
  last = new Uint8Array();
  get buffered(): { length: number; start: () => number; end: () => number } {
    return { length: this.to > this.from ? 1 : 0, start: () => this.from, end: () => this.to };
  }
  appendBuffer(bytes: Uint8Array): void {
    if (this.to - this.from + bytes.byteLength > this.quotaS) {
      this.refused += 1;
      throw new DOMException('full', 'QuotaExceededError');
    }
    this.to += bytes.byteLength;
    this.appends += 1;
    this.last = bytes.slice();
    this.settle();
  }
  changeType(): void {
    this.appends = 0;
  }
  remove(_from: number, to: number): void {
    this.from = Math.min(to, this.to);
    this.settle();
  }
  private settle(): void {
    this.updating = true;
    queueMicrotask(() => {
      this.updating = false;
      this.dispatchEvent(new Event('updateend'));
    });
  }
}

const INIT = new Uint8Array([0, 9, ...new TextEncoder().encode('video/mp4')]);
let source: Source;
let cursor: number;
let cuts: number;
let broken: Broken[];
let buffer: TrackBuffer;
let sequence: number;

function envelope(kind: Envelope['kind'], payload: Uint8Array<ArrayBuffer>, keyFrame = true): Envelope {
  const at = { initId: 1, sequence: (sequence += 1), roomMs: 0, utcMs: 0, durationMs: 1000 };
  return { address: 'bench', kind, keyFrame, kept: false, payload, ...at };
}

async function comes(seconds: number, keyFrame = true): Promise<void> {
  for (let n = 0; n < seconds; n += 1) {
    buffer.take(envelope(KIND.fragment, new Uint8Array(1), keyFrame));
    for (let round = 0; round < 20; round += 1) await Promise.resolve();
  }
}

beforeEach(() => {
  [cursor, cuts, broken, sequence] = [0, 0, [], 0];
  source = new Source();
  buffer = new TrackBuffer(
    () => undefined,
    (why) => broken.push(why),
    () => cursor,
    () => (cuts += 1),
  );
  buffer.take(envelope(KIND.init, INIT));
  buffer.attach({ addSourceBuffer: () => source } as unknown as MediaSource);
});

it('keeps some seconds behind a cursor that stands still, without any timer', async () => {
  await comes(300);
  expect(source.to - source.from).toBeLessThan(30);
  expect(source.to).toBeGreaterThan(295);
});

it('throws out what was shown when the quota is full, and tries the append again', async () => {
  source.quotaS = 6;
  await comes(5);
  cursor = 4;
  await comes(3);
  expect([source.refused > 0, source.to, cuts, broken]).toEqual([true, 8, 0, []]);
});

it('keeps what is newest when nothing was shown, and says that it left something out', async () => {
  source.quotaS = 6;
  await comes(40);
  expect([source.to, broken, cuts > 0]).toEqual([40, [], true]);
});

it('says that this MediaSource is at its end when nothing at all can go', async () => {
  source.quotaS = 0.5;
  await comes(1);
  expect(broken).toEqual(['full']);
});

async function takes(init: Envelope, ticks: number): Promise<Uint8Array> {
  if (!buffer.ready || init.initId !== 1) buffer.take(init);
  const payload = fragment(ticks, [{ key: true, lasts: 512 }]);
  const before = payload.slice();
  buffer.take({ ...envelope(KIND.fragment, payload), initId: init.initId });
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
  return before;
}

it('says of a picture that it lasts longer, and knows where it ends all the same', async () => {
  const init = asEnvelope(initMessage(2));
  const said = await takes(init, 0);
  expect(source.last.length).toBe(said.length);
  expect(source.last).not.toEqual(said);
  expect(buffer.edgeS).toBeCloseTo(source.to - 0.96);
  await takes(init, 1280);
  expect(buffer.edgeS, 'twice the 100 ms that it took').toBeCloseTo(source.to - 0.1);
  source.remove(0, 1);
  await Promise.resolve();
  expect(buffer.edgeS).toBeCloseTo(source.to - 0.1);
});

it('takes another init segment under the same number, and goes on with a key frame', async () => {
  const second = new Uint8Array([...INIT, 1]);
  await comes(1);
  expect(buffer.take(envelope(KIND.init, INIT)), 'the same').toBe(false);
  expect(buffer.take(envelope(KIND.init, second)), 'another').toBe(true);
  await comes(1, false);
  const appended = source.appends;
  await comes(1);
  expect([source.appends - appended, source.last.length]).toEqual([1, 1]);
});

it('takes sound as it is', async () => {
  const said = await takes(asEnvelope(initMessage(2, soundInit(), 'audio/mp4; codecs="mp4a.40.2"')), 0);
  expect(source.last).toEqual(said);
  expect(buffer.edgeS).toBe(source.to);
});
