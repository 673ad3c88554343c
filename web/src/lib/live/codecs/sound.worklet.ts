/** The sound's own thread: reads the ring at the pace of the sound card, and says now and then what it has read. */

import type { SoundPiece } from './workerMessages';
import { SoundRing } from './soundRing';

/** What the page says: the port from which sound comes, and which moment of the room is heard at which of the context. */
export type ToSound = { port: MessagePort } | { contextS: number; roomMs: number };

/** What it hears of it: a moment of the context, and the room's of which a sample was written for it. */
export interface SoundReport {
  contextS: number;
  roomMs: number | null;
  missed: number;
}

// What TypeScript's DOM does not know of an AudioWorkletGlobalScope.
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare const currentTime: number;
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const REPORT_S = 0.25;

registerProcessor(
  'live-sound',
  class extends AudioWorkletProcessor {
    readonly #ring = new SoundRing();
    #anchor: { contextS: number; roomMs: number } | null = null;
    #source: MessagePort | null = null;
    #toldS = 0;

    constructor() {
      super();
      this.port.onmessage = ({ data }: MessageEvent<ToSound>) => {
        if ('port' in data) {
          this.#source = data.port;
          this.#source.onmessage = (event: MessageEvent<SoundPiece>) => this.#ring.push(event.data);
        } else this.#anchor = data;
      };
    }

    process(_: unknown, [out]: Float32Array[][]): boolean {
      const anchor = this.#anchor;
      if (out === undefined || anchor === null) return true;
      const sounds = this.#ring.read(out, anchor.roomMs + (currentTime - anchor.contextS) * 1000, sampleRate);
      if (currentTime - this.#toldS > REPORT_S) {
        this.#toldS = currentTime;
        const blockS = (out[0]?.length ?? 0) / sampleRate;
        const report: SoundReport = { contextS: currentTime + blockS, roomMs: sounds ? this.#ring.nextMs : null, missed: this.#ring.missed };
        this.port.postMessage(report);
      }
      return true;
    }
  },
);
