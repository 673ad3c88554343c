/** Pictures of pages, decoded before they are shown. No browser may keep them (a session ends, its disk does not), so the
 * page keeps those that it was sent itself, for as long as it is open and somebody is signed in; the last of them decoded,
 * so that one that was shown before costs nothing when it is shown again. */

import { dropSpares, isSpare, layAside, takeSpare } from './sparePictures';

/** Why a picture is not here. */
export class PictureError extends Error {
  readonly code: string;
  /** It is on its way: asking again helps. */
  readonly later: boolean;
  constructor(code: string, message: string, later: boolean) {
    super(message);
    this.code = code;
    this.later = later;
  }
}

/** Of all that is kept: some two hundred pages. What was not looked at for longest goes first. */
export const MOST_BYTES = 64 * 1024 * 1024;
/** A file of its own size, from before the room drew pictures, is not kept in place of many pages. */
const MOST_OF_ONE = 8 * 1024 * 1024;

/** A decoded picture, for one place of the page. */
export interface PagePicture {
  readonly image: HTMLImageElement;
  /** It is shown here no more: whoever wants it next has it as it is. */
  giveBack: () => void;
}

const kept = new Map<string, Blob>();
const coming = new Map<string, Promise<Blob>>();
let keptBytes = 0;
let session = 0;

/** Keep nothing of what was shown: whoever sits here now may be somebody else. */
export function forgetPictures(): void {
  kept.clear();
  coming.clear();
  keptBytes = 0;
  session += 1;
  dropSpares();
}

/** The decoded picture at `url`; `PictureError` in the server's words when there is none. */
export async function loadPicture(url: string): Promise<PagePicture> {
  const of = session;
  const before = takeSpare(url);
  const image = before && (await isWhole(before)) ? before : await decoded(await pictureOf(url));
  let given = false;
  return {
    image,
    giveBack() {
      // What is not kept as it was sent (it may still become larger, or is too much) is not kept decoded either.
      if (!given && of === session && keptOf(url)) layAside(url, image);
      given = true;
    },
  };
}

/** Have a picture here and decoded by the time that it is shown; errors as of `loadPicture`. */
export async function preparePicture(url: string): Promise<void> {
  if (!isSpare(url)) (await loadPicture(url)).giveBack();
}

/** Whether it can be shown as it is: at once, unless the browser needed the memory meanwhile. */
async function isWhole(image: HTMLImageElement): Promise<boolean> {
  return image.decode().then(
    () => true,
    () => false,
  );
}

async function decoded(picture: Blob): Promise<HTMLImageElement> {
  const address = URL.createObjectURL(picture);
  const image = new Image();
  image.alt = '';
  image.draggable = false; // else the browser drags the picture itself, and the page stays
  image.src = address;
  try {
    await image.decode();
    return image;
  } catch {
    throw new PictureError('media', '', true);
  } finally {
    URL.revokeObjectURL(address);
  }
}

function keptOf(url: string): Blob | undefined {
  const known = kept.get(url);
  if (known !== undefined) {
    kept.delete(url); // now it is the one that was looked at last
    kept.set(url, known);
  }
  return known;
}

function pictureOf(url: string): Promise<Blob> {
  const known = keptOf(url);
  if (known !== undefined) return Promise.resolve(known);
  let asked = coming.get(url);
  if (asked === undefined) {
    asked = fetched(url).finally(() => {
      if (coming.get(url) === asked) coming.delete(url);
    });
    coming.set(url, asked);
  }
  return asked;
}

async function fetched(url: string): Promise<Blob> {
  const of = session;
  let answer: Response;
  try {
    answer = await fetch(url, { cache: 'no-store', credentials: 'same-origin' });
  } catch (error) {
    throw new PictureError('network', error instanceof Error ? error.message : String(error), true);
  }
  if (!answer.ok) throw await refusal(answer);
  const picture = await answer.blob().catch(() => {
    throw new PictureError('network', '', true);
  });
  // One that is smaller than was asked for may have a larger one by the next time.
  if (of === session && !answer.headers.has('X-Wutong-Smaller')) hold(url, picture);
  return picture;
}

function hold(url: string, picture: Blob): void {
  if (picture.size > MOST_OF_ONE || kept.has(url)) return;
  kept.set(url, picture);
  keptBytes += picture.size;
  for (const [oldest, { size }] of kept) {
    if (keptBytes <= MOST_BYTES) break;
    kept.delete(oldest);
    takeSpare(oldest);
    keptBytes -= size;
  }
}

async function refusal(answer: Response): Promise<PictureError> {
  let said: { code?: string; message?: string } = {};
  try {
    said = (await answer.json()) as typeof said;
  } catch {
    // A proxy's page, not our JSON: the status alone has to do.
  }
  const code = said.code ?? 'error';
  return new PictureError(code, said.message ?? String(answer.status), code === 'on-its-way' || answer.status >= 500);
}
