/** The own account as the page has it, and what is asked of the center. */

import { api } from '../lib/api';
import { explain } from '../lib/i18n.svelte';
import { makePasskey } from '../lib/entrance/passkeys';
import type { NewTotp, RecoveryCodes, ShownAccount, ShownSession, ShownSessions, SignInStep } from '../lib/types';

export class AccountStore {
  account = $state.raw<ShownAccount | null>(null);
  sessions = $state.raw<readonly ShownSession[]>([]);
  failure = $state('');
  busy = $state(false);

  /** Both come at once: a page that is shown while the rest is still awaited would take no Enter in its forms. */
  async load(): Promise<void> {
    await this.act(async () => {
      const [account, { sessions }] = await Promise.all([
        api.get<ShownAccount>('/api/account'),
        api.get<ShownSessions>('/api/account/sessions'),
      ]);
      this.account = account;
      this.sessions = sessions;
    });
  }

  end(session: string | null): Promise<boolean> {
    return this.changed(() => api.delete(`/api/account/sessions${session === null ? '' : `/${session}`}`));
  }

  changePassword(password: string, next: string): Promise<boolean> {
    return this.changed(() => api.post('/api/account/password', { password, new_password: next }));
  }

  removeFactor(id: string, password: string): Promise<boolean> {
    return this.changed(() => api.post(`/api/account/factors/${id}/remove`, { password }));
  }

  choosePost(role: string, court: string): Promise<boolean> {
    return this.act(() => api.post<SignInStep>('/api/account/post', { role, court }));
  }

  async askTotp(password: string): Promise<NewTotp | null> {
    let secret: NewTotp | null = null;
    await this.act(async () => {
      secret = await api.post<NewTotp>('/api/account/totp/ask', { password });
    });
    return secret;
  }

  addTotp(code: string, label: string): Promise<boolean> {
    return this.changed(() => api.post('/api/account/totp', { code, label }));
  }

  addPasskey(password: string, label: string): Promise<boolean> {
    return this.changed(async () => {
      const { options } = await api.post<{ options: Record<string, unknown> }>('/api/account/passkey/ask', { password });
      await api.post('/api/account/passkey', { credential: await makePasskey(options), label });
    });
  }

  async newRecovery(password: string): Promise<readonly string[]> {
    let codes: readonly string[] = [];
    await this.changed(async () => {
      codes = (await api.post<RecoveryCodes>('/api/account/recovery-codes', { password })).recovery_codes;
    });
    return codes;
  }

  private async changed(act: () => Promise<unknown>): Promise<boolean> {
    const done = await this.act(act);
    if (done) await this.load();
    return done;
  }

  private async act(act: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    this.failure = '';
    try {
      await act();
      return true;
    } catch (error) {
      this.failure = explain(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
