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

/** A small document with a JPEG on its page (made for this): opening and drawing it once makes everything ready for the first exhibit. */
const SMALLEST = atob(
  'JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqCjIgMCBvYmo8PC9UeXBlL1BhZ2VzL0tpZHNbMyAwIF' +
  'JdL0NvdW50IDE+PmVuZG9iagozIDAgb2JqPDwvVHlwZS9QYWdlL1BhcmVudCAyIDAgUi9NZWRpYUJveFswIDAgMTYgMTZdL0NvbnRlbnRzIDQg' +
  'MCBSL1Jlc291cmNlczw8L1hPYmplY3Q8PC9JIDUgMCBSPj4+Pj4+ZW5kb2JqCjQgMCBvYmo8PC9MZW5ndGggMjY+PnN0cmVhbQpxIDE2IDAgMC' +
  'AxNiAwIDAgY20gL0kgRG8gUQplbmRzdHJlYW1lbmRvYmoKNSAwIG9iajw8L1R5cGUvWE9iamVjdC9TdWJ0eXBlL0ltYWdlL1dpZHRoIDE2L0hl' +
  'aWdodCAxNi9Db2xvclNwYWNlL0RldmljZVJHQi9CaXRzUGVyQ29tcG9uZW50IDgvRmlsdGVyL0RDVERlY29kZS9MZW5ndGggMzExPj5zdHJlYW' +
  '0K/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5a' +
  'YVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCA' +
  'AQABADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAEG/8QAHRAAAQQCAwAAAAAAAAAAAAAAAQACESESQRNRcf/EABQBAQAAAAAAAAAA' +
  'AAAAAAAAAAP/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwDQgP5CS5uECBFg3Nz5rR7qoiA7/9kKZW5kc3RyZWFtZW5kb2JqCn' +
  'RyYWlsZXI8PC9Sb290IDEgMCBSPj4KJSVFT0YK',
);

export async function warmUp(): Promise<void> {
  const document = await pdfjs.getDocument({ data: Uint8Array.from(SMALLEST, (c) => c.charCodeAt(0)), worker: worker(), verbosity: 0 }).promise;
  await drawPage(document, 1, 1600, 1600, new AbortController().signal);
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
