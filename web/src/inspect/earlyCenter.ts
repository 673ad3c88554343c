/** What is begun before the page's scripts are there: who is signed in is asked, the socket is opened, and on it the picture
 * of the room in the address is asked for.
 *
 * Only for who was signed in when this browser was here last: each other visit would stand in the audit log as refused. The
 * server judges the socket by itself, and nothing is shown before the session is known.
 */

import { api } from '../lib/api';
import { decoderThread } from '../lib/live/codecs/decoderThread';
import { hasCodecs } from '../lib/live/codecs/hasCodecs';
import { EarlySocket } from '../lib/earlySocket';
import type { CenterMessage, Session } from '../lib/types';
import { addressedTrack } from './firstTrack';

export const CENTER_PATH = '/api/live?told=changes';
/** Kept while somebody is signed in. */
export const SIGNED_IN = 'wutong.inspects';

export class EarlyCenter {
  #socket: EarlySocket | null = null;
  #session: Promise<Session | null> | null = null;
  #over = false;
  /** The address of the picture that was asked for. */
  track: string | null = null;

  /** Called by a script that may come late: then the page has begun by itself. */
  begin(): void {
    if (this.#over || localStorage.getItem(SIGNED_IN) === null) return;
    this.#socket = new EarlySocket(CENTER_PATH, (text) => this.#heard(text));
    this.#session = api.session();
    this.#session.catch(() => undefined); // the page hears of it when it takes it
    if (hasCodecs()) decoderThread.prepare();
  }

  /** Who is signed in, as `api.session`; asked once here, and anew each time after it was taken. */
  session(): Promise<Session | null> {
    const asked = this.#session ?? api.session();
    this.#session = null;
    return asked;
  }

  /** For the page's first connection; null where none was begun. */
  take(): EarlySocket | null {
    this.#over = true;
    const taken = this.#socket;
    this.#socket = null;
    return taken;
  }

  #heard(text: string): void {
    if (this.track !== null) return;
    const message = JSON.parse(text) as CenterMessage;
    if (message.type !== 'rooms') return;
    this.track = addressedTrack(message.rooms);
    if (this.track !== null) this.#socket?.socket.send(JSON.stringify({ watch: [this.track], rooms: [] }));
  }
}

export const earlyCenter = new EarlyCenter();
