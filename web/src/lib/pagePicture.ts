/** Pictures of pages, decoded before they are shown; the browser keeps them, since one never changes. */

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

/** The decoded picture at `url`; `PictureError` in the server's words when there is none. */
export async function loadPicture(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.alt = '';
  image.draggable = false; // else the browser drags the picture itself, and the page stays
  image.src = url;
  try {
    await image.decode();
    return image;
  } catch {
    throw await whyNot(url); // an image does not say why it failed; a request does
  }
}

async function whyNot(url: string): Promise<PictureError> {
  try {
    const answer = await fetch(url, { cache: 'no-store', credentials: 'same-origin' });
    if (answer.ok) return new PictureError('media', '', true);
    const said = (await answer.json()) as { code?: string; message?: string };
    const code = said.code ?? 'error';
    return new PictureError(code, said.message ?? String(answer.status), code === 'on-its-way' || answer.status >= 500);
  } catch (error) {
    return new PictureError('network', error instanceof Error ? error.message : String(error), true);
  }
}
