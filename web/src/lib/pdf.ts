/** PDF pages as pictures, drawn here in the browser by pdf.js; its worker, fonts and character maps are our own files. */

import * as pdfjs from 'pdfjs-dist';
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url';

pdfjs.GlobalWorkerOptions.workerSrc = workerUrl;

let shared: pdfjs.PDFWorker | null = null;

/** One worker for all documents of the page: starting one costs more than drawing a page. */
function worker(): pdfjs.PDFWorker {
  if (shared === null || shared.destroyed) shared = new pdfjs.PDFWorker();
  return shared;
}

/** One page of A4 at 150 dpi as a scanner makes it: a JPEG that fills it. */
async function scannedPage(): Promise<Uint8Array> {
  const [width, height] = [1240, 1754];
  const sheet = new OffscreenCanvas(width, height);
  const paint = sheet.getContext('2d');
  if (!paint) return new Uint8Array();
  paint.fillStyle = '#fff';
  paint.fillRect(0, 0, width, height);
  paint.fillStyle = '#222';
  paint.font = '28px sans-serif';
  for (let y = 60; y < height; y += 40) paint.fillText('五同 '.repeat(20), 60, y);
  const jpeg = await (await sheet.convertToBlob({ type: 'image/jpeg', quality: 0.85 })).arrayBuffer();
  const image = `<</Subtype/Image/Width ${width}/Height ${height}/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode/Length ${jpeg.byteLength}>>`;
  const draw = 'q 595 0 0 842 0 0 cm /I Do Q';
  const before = [
    '%PDF-1.4',
    '1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj',
    '2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj',
    '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>endobj',
    `4 0 obj<</Length ${draw.length}>>stream\n${draw}\nendstream endobj`,
    `5 0 obj${image}stream\n`,
  ].join('\n');
  const after = '\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n';
  return new Uint8Array(await new Blob([before, jpeg, after]).arrayBuffer());
}

/** Open and draw a page like the exhibits to come: the first of them must not wait for what is only ever slow once. */
export async function warmUp(): Promise<void> {
  const document = await pdfjs.getDocument({ data: await scannedPage(), worker: worker(), verbosity: 0 }).promise;
  for (let round = 0; round < 3; round++) await drawPage(document, 1, window.innerWidth, window.innerHeight, new AbortController().signal);
  await document.loadingTask.destroy();
}

const cache = new Map<string, Promise<pdfjs.PDFDocumentProxy>>();
const KEPT = 6;
const DATA = `/assets/pdf-${pdfjs.version}`;

/** The document at `url`, fetched once. `key` names its content, so that the same file is not fetched again. */
export function openPdf(url: string, key: string): Promise<pdfjs.PDFDocumentProxy> {
  let document = cache.get(key);
  if (!document) {
    document = pdfjs.getDocument({
      url,
      worker: worker(),
      withCredentials: true,
      cMapUrl: `${DATA}/cmaps/`,
      cMapPacked: true,
      standardFontDataUrl: `${DATA}/standard_fonts/`,
      wasmUrl: `${DATA}/wasm/`,
      isEvalSupported: false,
      enableXfa: false,
    }).promise;
    cache.set(key, document);
    document.catch(() => cache.delete(key));
    for (const old of [...cache.keys()].slice(0, -KEPT)) {
      void cache.get(old)?.then((d) => d.loadingTask.destroy());
      cache.delete(old);
    }
  }
  return document;
}

/** Draw a page out of sight, so that its pictures and fonts are decoded when it is wanted; failing is no harm. */
async function drawAhead(document: pdfjs.PDFDocumentProxy, page: number): Promise<void> {
  if (page <= document.numPages) await drawPage(document, page, 200, 200, new AbortController().signal);
}

/** After `page` has been shown the next one is the likeliest. */
export function prepareNext(document: pdfjs.PDFDocumentProxy, page: number): void {
  void drawAhead(document, page + 1).catch(() => undefined);
}

/** Make a document ready before it is presented. */
export async function prepare(url: string, key: string): Promise<void> {
  await drawAhead(await openPdf(url, key), 1);
}

/** Draw `page` (from 1) as large as `width`×`height` device pixels allow. Aborting `signal` ends it quietly. */
export async function drawPage(
  document: pdfjs.PDFDocumentProxy,
  page: number,
  width: number,
  height: number,
  signal: AbortSignal,
): Promise<HTMLCanvasElement | null> {
  const sheet = await document.getPage(Math.min(Math.max(1, page), document.numPages));
  if (signal.aborted) return null;
  const natural = sheet.getViewport({ scale: 1 });
  const scale = Math.min(width / natural.width, height / natural.height);
  const viewport = sheet.getViewport({ scale });
  const canvas = globalThis.document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(viewport.width));
  canvas.height = Math.max(1, Math.round(viewport.height));
  const task = sheet.render({ canvas, viewport, background: '#ffffff' });
  signal.addEventListener('abort', () => task.cancel());
  try {
    await task.promise;
  } catch (error) {
    if (signal.aborted || error instanceof pdfjs.RenderingCancelledException) return null;
    throw error;
  }
  return signal.aborted ? null : canvas;
}
