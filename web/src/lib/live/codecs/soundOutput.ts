/** Lets live sound be heard: an AudioWorklet, which the decoding worker feeds, held to the room's clock.
 *
 * Browsers let no page sound before somebody has touched it; until then `held` is true, and the next touch ends that.
 */

import workletUrl from './sound.worklet.ts?worker&url';
import type { SoundReport, ToSound } from './sound.worklet';

export class SoundOutput {
  /** The browser wants a touch first. */
  held = false;
  /** Milliseconds of room time that are heard at a moment of `performance.timeOrigin + performance.now()`; null in silence. */
  heard: { roomMs: number; atMs: number } | null = null;
  missed = 0;
  #context = new AudioContext({ latencyHint: 'interactive' });
  #node: AudioWorkletNode | null = null;
  #abort = new AbortController();

  /** `port`: where decoded sound comes from. `onFailed` when this browser gives no sound. */
  constructor(port: MessagePort, onFailed: () => void) {
    const { signal } = this.#abort;
    const wake = (): void => void this.#context.resume().catch(() => undefined);
    for (const name of ['pointerup', 'keydown']) document.addEventListener(name, wake, { signal });
    wake();
    this.#begin(port).catch(() => signal.aborted || onFailed());
  }

  /** From written to heard, milliseconds. */
  get latencyMs(): number {
    const { contextTime, performanceTime } = this.#heardAt();
    return Math.max(0, (this.#context.currentTime - contextTime) * 1000 - (performance.now() - performanceTime));
  }

  /** Sound of the room is heard `offsetMs` after its moment, on the clock `performance.timeOrigin + performance.now()`. */
  keep(offsetMs: number): void {
    this.held = this.#context.state === 'suspended';
    const { contextTime, performanceTime } = this.#heardAt();
    this.#say({ contextS: contextTime, roomMs: performance.timeOrigin + performanceTime - offsetMs });
  }

  close(): void {
    this.#abort.abort();
    this.#node?.disconnect();
    void this.#context.close().catch(() => undefined);
  }

  async #begin(port: MessagePort): Promise<void> {
    await this.#context.audioWorklet.addModule(workletUrl);
    if (this.#abort.signal.aborted) return;
    const node = new AudioWorkletNode(this.#context, 'live-sound', { numberOfInputs: 0, outputChannelCount: [2] });
    node.port.onmessage = ({ data }: MessageEvent<SoundReport>) => this.#told(data);
    node.connect(this.#context.destination);
    this.#node = node;
    this.#say({ port }, [port]);
  }

  #told({ contextS, roomMs, missed }: SoundReport): void {
    const { contextTime, performanceTime } = this.#heardAt();
    const atMs = performance.timeOrigin + performanceTime + (contextS - contextTime) * 1000;
    this.heard = roomMs === null ? null : { roomMs, atMs };
    this.missed = missed;
  }

  #say(what: ToSound, transfer: Transferable[] = []): void {
    this.#node?.port.postMessage(what, transfer);
  }

  /** Which moment of the context is heard at which of `performance.now`. */
  #heardAt(): { contextTime: number; performanceTime: number } {
    const { contextTime = 0, performanceTime = 0 } = this.#context.getOutputTimestamp();
    if (performanceTime > 0) return { contextTime, performanceTime };
    return { contextTime: this.#context.currentTime - this.#context.baseLatency, performanceTime: performance.now() };
  }
}
