/** Requests to our own server. Every failure is an `ApiError` with the server's code and sentence, or `offline`. */

import { abortAfter } from './browser/abortAfter';
import { forgetPictures } from './pagePicture';
import type { Session } from './types';

export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly detail: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

const HEADERS = { 'X-Wutong': '1' };
const TIMEOUT_MS = 15_000;

async function refusal(response: Response): Promise<ApiError> {
  let detail: Record<string, unknown> = {};
  try {
    const body: unknown = await response.json();
    if (body !== null && typeof body === 'object') detail = body as Record<string, unknown>;
  } catch {
    // A proxy's page, not our JSON: the status alone has to do.
  }
  const code = typeof detail.code === 'string' ? detail.code : response.status === 401 ? 'access' : 'error';
  const message = typeof detail.message === 'string' ? detail.message : `HTTP ${response.status}`;
  return new ApiError(code, message, response.status, detail);
}

async function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: abortAfter(TIMEOUT_MS),
      ...init,
      headers: { ...HEADERS, ...init.headers },
    });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError('offline', 'the server does not answer', 0);
  }
  if (response.status === 401) forgetPictures(); // the session has ended
  if (!response.ok) throw await refusal(response);
  return response;
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await send(
    method,
    path,
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } },
  );
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export const api = {
  get: <T>(path: string): Promise<T> => json<T>('GET', path),
  post: <T>(path: string, body?: unknown): Promise<T> => json<T>('POST', path, body ?? {}),
  put: <T>(path: string, body: unknown): Promise<T> => json<T>('PUT', path, body),
  patch: <T>(path: string, body: unknown): Promise<T> => json<T>('PATCH', path, body),
  delete: <T>(path: string): Promise<T> => json<T>('DELETE', path),
  /** For media and files: the response itself, so that headers can be read; abort with `signal`. */
  raw: (path: string, signal?: AbortSignal): Promise<Response> => send('GET', path, signal ? { signal } : {}),
  signIn(code: string): Promise<Session> {
    forgetPictures();
    return json<Session>('POST', '/api/session', { code });
  },
  signOut(): Promise<void> {
    forgetPictures();
    return json<undefined>('DELETE', '/api/session');
  },
  /** Who is signed in; null when nobody. */
  async session(): Promise<Session | null> {
    try {
      return await json<Session>('GET', '/api/session');
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
};

/** Uploads a form and reports the part sent (0…1) as it goes, which fetch cannot. */
export function upload<T>(path: string, form: FormData, progress: (part: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    for (const [name, value] of Object.entries(HEADERS)) request.setRequestHeader(name, value);
    request.responseType = 'text';
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener('load', () => {
      const answer = new Response(request.responseText, { status: request.status });
      if (answer.ok) resolve(JSON.parse(request.responseText) as T);
      else void refusal(answer).then(reject);
    });
    for (const failure of ['error', 'timeout', 'abort']) {
      request.addEventListener(failure, () => reject(new ApiError('offline', 'the server does not answer', 0)));
    }
    request.send(form);
  });
}
