/** Somebody's way in, step by step: what the center wants next, and what is sent. The steps themselves are kept by the
 * center in a cookie; here is only what the page shows. */

import { api, ApiError } from '../api';
import { explain, t } from '../i18n.svelte';
import type { Session, SignInStep, SignInWays } from '../types';
import { makePasskey, usePasskey } from './passkeys';

/** Where the page stands: `person` asks for login and password, `shared` for a role's code, the others are steps. */
export type Stand =
  | 'loading'
  | 'person'
  | 'shared'
  | 'first'
  | 'totp'
  | 'passkey'
  | 'recovery'
  | 'new-password'
  | 'enroll-factor'
  | 'codes'
  | 'post';

const BACK = 'wutong.back';

export class EntranceFlow {
  stand = $state<Stand>('loading');
  step = $state.raw<SignInStep | null>(null);
  ways = $state.raw<SignInWays | null>(null);
  busy = $state(false);
  failure = $state('');

  constructor(private readonly entered: (session: Session) => void) {}

  async begin(): Promise<void> {
    await this.run(async () => {
      this.ways = await api.get<SignInWays>('/api/sign-in/ways');
      this.restart();
    });
  }

  /** Login and password, unless the center has nobody yet. */
  restart(): void {
    this.step = null;
    this.failure = '';
    if (this.ways?.codes === true && this.ways.first) this.stand = 'shared';
    else this.stand = this.ways?.first === true ? 'first' : 'person';
  }

  show(stand: Stand): void {
    this.failure = '';
    this.stand = stand;
  }

  byPassword(login: string, password: string): Promise<void> {
    return this.post('/api/sign-in', { login, password });
  }

  byShared(code: string): Promise<void> {
    return this.run(async () => this.entered(await api.signIn(code)));
  }

  first(code: string, login: string, name: string, password: string): Promise<void> {
    return this.post('/api/sign-in/first', { code, login, name, password });
  }

  byCode(code: string): Promise<void> {
    const path = this.stand === 'recovery' ? 'recovery' : this.stand === 'enroll-factor' ? 'enroll/totp' : 'totp';
    return this.post(`/api/sign-in/${path}`, { code });
  }

  newPassword(password: string): Promise<void> {
    return this.post('/api/sign-in/new-password', { password });
  }

  choosePost(role: string, court: string): Promise<void> {
    return this.post('/api/sign-in/post', { role, court });
  }

  byPasskey(): Promise<void> {
    return this.passkey('/api/sign-in/passkey', usePasskey);
  }

  enrollPasskey(): Promise<void> {
    return this.passkey('/api/sign-in/enroll/passkey', makePasskey);
  }

  toProvider(): Promise<void> {
    return this.run(async () => {
      const { url } = await api.post<{ url: string }>('/api/sign-in/provider');
      sessionStorage.setItem(BACK, location.pathname + location.hash);
      location.assign(url);
    });
  }

  /** Somebody came back from the provider, by its address. */
  fromProvider(code: string, state: string, iss: string): Promise<void> {
    return this.post('/api/sign-in/provider/back', { code, state, iss });
  }

  /** The recovery codes are kept: go on to what came with them. */
  codesKept(): void {
    const step = this.step;
    if (step !== null) this.take({ ...step, recovery_codes: [] });
  }

  private passkey(path: string, ask: (options: Record<string, unknown>) => Promise<unknown>): Promise<void> {
    return this.run(async () => {
      const { options } = await api.post<{ options: Record<string, unknown> }>(`${path}/ask`);
      let credential: unknown;
      try {
        credential = await ask(options);
      } catch {
        throw new ApiError('in.noPasskey', t('in.noPasskey'), 0);
      }
      this.take(await api.post<SignInStep>(path, { credential }));
    });
  }

  private post(path: string, body: unknown): Promise<void> {
    return this.run(async () => this.take(await api.post<SignInStep>(path, body)));
  }

  private take(step: SignInStep): void {
    this.step = { ...this.step, ...step };
    if ((step.recovery_codes ?? []).length > 0) {
      this.stand = 'codes';
    } else if (step.step === 'done') {
      const { role, name, person, court } = this.step;
      this.entered({ role, name, person, court } as Session);
    } else {
      this.stand = step.step;
      if (step.step === 'enroll-factor' && step.totp === undefined) void this.post('/api/sign-in/enroll', {});
    }
  }

  private async run(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.failure = '';
    try {
      await act();
    } catch (error) {
      const known = error instanceof ApiError && error.code === 'in.noPasskey';
      this.failure = known ? t('in.noPasskey') : explain(error);
      if (error instanceof ApiError && error.code === 'ticket') this.restart();
    } finally {
      this.busy = false;
    }
  }
}

/** Where somebody was before they went to the provider; a page of ours. */
export function wayBack(): string {
  const known = sessionStorage.getItem(BACK) ?? '';
  sessionStorage.removeItem(BACK);
  return /^\/(?:inspect|admin|account)(?:[/#?]|$)/.test(known) ? known : '/account';
}
