/** What the clerk does: one request each, one at a time of a kind; a failure stays in words until it is dismissed. */

import { api, upload } from '../lib/api';
import type { Exhibit, FromDocket, Hearing, NewCameraView, NewHearing, NewMark, NewPause, NewTest, NewView, PauseReason, StretchToSeal } from '../lib/types';

export interface NewCase {
  case_no: string;
  cause: string;
  title: string;
  parties: Record<string, string>;
  public: boolean;
  kind: string;
}

export class PanelCommands {
  failure = $state<unknown>(null);
  busy = $state<Record<string, boolean>>({});
  #view: NewView | null = null;
  #showing = false;

  /** Run `work` unless the same is running; true when it succeeded. */
  async run(name: string, work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy[name]) return false;
    this.busy[name] = true;
    try {
      await work();
      this.failure = null;
      return true;
    } catch (error) {
      this.failure = error;
      return false;
    } finally {
      this.busy[name] = false;
    }
  }

  /** `despite`: what has not proven itself in the self-test, as the clerk has read and confirmed. */
  open(what: { docket_id: string } | NewCase, despite: string[]): Promise<boolean> {
    return this.run('open', () => api.post<Hearing>('/api/hearing', { ...what, despite } satisfies FromDocket | NewHearing));
  }

  test(speak: boolean): Promise<boolean> {
    return this.run('test', () => api.post('/api/selftest', { speak } satisfies NewTest));
  }

  stopListening(): Promise<boolean> {
    return this.run('stopListening', () => api.delete('/api/selftest'));
  }

  /** The clerk sees these seats in a camera's picture. */
  noteView(camera: string, seats: string[]): Promise<boolean> {
    return this.run('view', () => api.put('/api/selftest/views', { camera, seats } satisfies NewCameraView));
  }

  pause(reason: PauseReason): Promise<boolean> {
    return this.run('pause', () => api.post<Hearing>('/api/hearing/pause', { reason } satisfies NewPause));
  }

  resume(): Promise<boolean> {
    return this.run('resume', () => api.post<Hearing>('/api/hearing/resume'));
  }

  close(): Promise<boolean> {
    return this.run('close', () => api.post<Hearing>('/api/hearing/close'));
  }

  /** Seal the last seconds, or what comes from now on, for everybody but the archivist and who makes the record. */
  sealPart(back_s: number, goes_on: boolean, reason: string): Promise<boolean> {
    return this.run('part', () => api.post<Hearing>('/api/hearing/sealed-parts', { back_s, goes_on, reason } satisfies StretchToSeal));
  }

  endPart(id: string): Promise<boolean> {
    return this.run('part', () => api.post<Hearing>(`/api/hearing/sealed-parts/${encodeURIComponent(id)}/end`));
  }

  /** Not held back while another is sent: two touches are two marks. */
  async mark(kind: string, text: string): Promise<boolean> {
    try {
      await api.post('/api/marks', { kind, text } satisfies NewMark);
      this.failure = null;
      return true;
    } catch (error) {
      this.failure = error;
      return false;
    }
  }

  /** Show a view; while one is being sent only the newest waits, so that a drag does not queue up. */
  async present(view: NewView): Promise<void> {
    this.#view = view;
    if (this.#showing) return;
    this.#showing = true;
    try {
      while (this.#view !== null) {
        const next: NewView = this.#view;
        this.#view = null;
        await api.put('/api/presentation', next);
        this.failure = null;
      }
    } catch (error) {
      this.#view = null;
      this.failure = error;
    } finally {
      this.#showing = false;
    }
  }

  withdraw(): Promise<boolean> {
    this.#view = null;
    return this.run('withdraw', () => api.delete('/api/presentation'));
  }

  addExhibit(file: File, title: string, progress: (part: number) => void): Promise<boolean> {
    const form = new FormData();
    form.set('title', title);
    form.set('file', file);
    return this.run('exhibit', () => upload<Exhibit>('/api/exhibits', form, progress));
  }
}
