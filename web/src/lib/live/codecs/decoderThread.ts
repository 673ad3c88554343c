/** The page's worker that decodes for all of its live players: started while the page still loads, and there as long as it.
 *
 * What is on its way to it is bounded for each player, `MOST_BEHIND_BYTES` in `MOST_BEHIND` messages: what is more is left
 * out, and the decoder goes on with the next key frame. All since a key frame may be handed over at once, long before the
 * worker says that it has taken any of it, and is no reason to leave something out. A worker that says nothing although somebody looks is replaced,
 * ever more seldom while that does not help; its players are told when it is time, since a canvas that was given away does
 * not come back.
 */

import { MOST_HELD_BYTES } from '../heldPictures';
import { Reopening } from '../reopening';
import DecodingWorker from './live.worker.ts?worker';
import type { PictureReport, ToWorker } from './workerMessages';

/** As many as a track keeps (`PictureTrack`): two minutes at 25 a second. */
export const MOST_BEHIND = 3000;
/** All that is handed over at once, and as much that comes behind it. */
export const MOST_BEHIND_BYTES = 2 * MOST_HELD_BYTES;
const WATCH_MS = 1000;
/** Looks at a worker that says nothing; then it is dead. Looks, not time: a machine that slept has not been looked at. */
const SILENT_LOOKS = 10;
const LOOK_MS = 250;

interface Client {
  onReport: (report: PictureReport) => void;
  /** After how many workers that were lost one after the other. */
  onGone: (tries: number) => void;
  /** The bytes of each message that it was sent and has not taken up, the oldest first; and their sum. */
  behind: number[];
  behindBytes: number;
  /** Messages that it has taken up so far. */
  taken: number;
  /** Looks since it was last heard of, or nobody looked at the page. */
  silent: number;
}

class DecoderThread {
  #worker: Worker | null = null;
  #clients = new Map<number, Client>();
  /** Of a worker that is lost; they are told when the next may begin. */
  #gone = new Map<number, Client>();
  #lastId = 0;
  #reopening = new Reopening();
  #watchdog: ReturnType<typeof setInterval> | undefined;

  /** There will be pictures: a worker takes a while to start. */
  prepare(): void {
    this.#worker ??= this.#start();
  }

  /** Begin to decode into a canvas; the answer is the player's number. */
  open(canvas: HTMLCanvasElement, onReport: Client['onReport'], onGone: Client['onGone']): number {
    this.prepare();
    this.#lastId += 1;
    this.#clients.set(this.#lastId, { onReport, onGone, behind: [], behindBytes: 0, taken: 0, silent: 0 });
    const offscreen = canvas.transferControlToOffscreen();
    this.say({ order: 'open', id: this.#lastId, canvas: offscreen }, [offscreen]);
    return this.#lastId;
  }

  say(order: ToWorker, transfer: Transferable[] = []): void {
    if (order.order === 'picture' || order.order === 'sound') {
      const client = this.#clients.get(order.id);
      const size = order.message.payload.byteLength;
      if (client === undefined || client.behind.length >= MOST_BEHIND || client.behindBytes + size > MOST_BEHIND_BYTES) return;
      client.behind.push(size);
      client.behindBytes += size;
    }
    this.#worker?.postMessage(order, transfer);
  }

  close(id: number): void {
    this.#gone.delete(id);
    if (!this.#clients.delete(id)) return;
    this.say({ order: 'close', id });
  }

  #start(): Worker {
    const worker = new DecodingWorker();
    worker.onmessage = ({ data }: MessageEvent<PictureReport>) => {
      const client = this.#clients.get(data.id);
      if (client === undefined) return;
      for (const size of client.behind.splice(0, data.taken - client.taken)) client.behindBytes -= size;
      client.taken = data.taken;
      client.silent = 0;
      this.#reopening.plays(performance.now());
      client.onReport(data);
    };
    worker.onerror = () => this.#replace();
    document.addEventListener('visibilitychange', this.#look);
    this.#watchdog = setInterval(() => this.#watch(), WATCH_MS);
    worker.postMessage({ order: 'look', seen: document.visibilityState === 'visible' } satisfies ToWorker);
    return worker;
  }

  #end(): void {
    clearInterval(this.#watchdog);
    document.removeEventListener('visibilitychange', this.#look);
    this.#worker?.terminate();
    this.#worker = null;
  }

  #look = (): void => {
    const seen = document.visibilityState === 'visible';
    for (const client of this.#clients.values()) client.silent = 0;
    this.say({ order: 'look', seen });
  };

  #watch(): void {
    for (const client of this.#clients.values()) client.silent = document.visibilityState === 'visible' ? client.silent + 1 : 0;
    if ([...this.#clients.values()].some((client) => client.silent > SILENT_LOOKS)) this.#replace();
  }

  #replace(): void {
    for (const [id, client] of this.#clients) this.#gone.set(id, client);
    this.#clients.clear();
    this.#end();
    this.#reopening.broke(performance.now());
    const timer = setInterval(() => {
      if (!this.#reopening.due(performance.now())) return;
      clearInterval(timer);
      const gone = [...this.#gone.values()];
      this.#gone.clear();
      for (const client of gone) client.onGone(this.#reopening.tries);
    }, LOOK_MS);
  }
}

export const decoderThread = new DecoderThread();
