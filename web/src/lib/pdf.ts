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

/** The smallest document there is: opening and drawing it once makes everything ready for the first exhibit. */
const SMALLEST =
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n' +
  '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 8 8]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n';

export async function warmUp(): Promise<void> {
  const document = await pdfjs.getDocument({ data: new TextEncoder().encode(SMALLEST), worker: worker(), verbosity: 0 }).promise;
  await drawPage(document, 1, 8, 8, new AbortController().signal);
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
