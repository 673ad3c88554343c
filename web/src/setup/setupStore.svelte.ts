/** What setup is: the server's state, and what was chosen on this page and not yet written. */

import { api, ApiError } from '../lib/api';
import { explain, sentence } from '../lib/i18n.svelte';
import type { ChoiceFault, ChosenSeat, Setup, SetupChoices } from '../lib/types';

export type Step = 'center' | 'cameras' | 'seats' | 'prove';
const ALL: Step[] = ['center', 'cameras', 'seats', 'prove'];
export const USUAL_NAMES = ['审判席', '当事人席', '证人席', '全景', '旁听席'];
export const USUAL_ROLES = ['审判长', '书记员', '原告', '被告', '原告代理人', '被告代理人', '公诉人', '辩护人', '证人'];
const QUICK_MS = 300;
const SLOW_MS = 1_500;

export class SetupStore {
  shown = $state.raw<Setup | null>(null);
  looked = $state(false);
  signedOut = $state(false);
  problem = $state('');
  faults = $state.raw<ChoiceFault[]>([]);
  busy = $state('');
  step = $state<Step>('center');
  begun = $state(false);
  /** Of each camera that is taken: its name. */
  names = $state<Record<string, string>>({});
  replaces = $state('');
  microphones = $state('');
  seats = $state<ChosenSeat[]>([]);
  #timer = 0;

  get steps(): Step[] {
    const purpose = this.shown?.purpose;
    if (purpose === 'camera') return ['cameras', 'prove'];
    if (purpose === 'seats') return ['seats', 'prove'];
    return ALL;
  }

  get channels(): number {
    return this.shown?.microphones.find((one) => one.name === this.microphones)?.channels ?? 0;
  }

  /** What is wrong with a field, in the language of the page. */
  fault(field: string): string {
    return this.faults
      .filter((one) => one.field === field)
      .map((one) => sentence(one.text))
      .join(' ');
  }

  start(): void {
    void this.#poll();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async look(): Promise<void> {
    try {
      this.#take(await api.get<Setup>('/api/setup'));
      this.problem = '';
    } catch (error) {
      this.#failed(error);
    } finally {
      this.looked = true;
    }
  }

  /** Ask the server to do something, which `what` names while it goes on; whether it was done. */
  async act(what: string, path: string, body: unknown = {}): Promise<boolean> {
    this.busy = what;
    this.faults = [];
    this.problem = '';
    try {
      this.#take(await api.post<Setup>(path, body));
      return true;
    } catch (error) {
      if (error instanceof ApiError && Array.isArray(error.detail.faults)) this.faults = error.detail.faults as ChoiceFault[];
      else this.#failed(error);
      return false;
    } finally {
      this.busy = '';
    }
  }

  go(step: Step): void {
    this.step = step;
    this.problem = '';
    if (step !== 'seats' && this.shown?.listening) void this.act('', '/api/setup/microphones', { name: '' });
    if (step === 'seats' && this.microphones !== '') void this.listen(this.microphones);
  }

  beside(by: number): void {
    const to = this.steps[this.steps.indexOf(this.step) + by];
    if (to !== undefined) this.go(to);
  }

  take(id: string, taken: boolean): void {
    const others = Object.entries(this.names).filter(([one]) => one !== id && this.shown?.purpose !== 'camera');
    const name = USUAL_NAMES.find((usual) => !others.some(([, used]) => used === usual)) ?? '';
    this.names = Object.fromEntries(taken ? [...others, [id, name]] : others);
  }

  async listen(name: string): Promise<void> {
    this.microphones = name;
    this.seats = this.seats.filter((seat) => seat.channel < this.channels);
    await this.act('listen', '/api/setup/microphones', { name });
  }

  async ask(role: string): Promise<void> {
    await this.act('', '/api/setup/speaking', { role });
  }

  seat(role: string, channel: number | null): void {
    const others = this.seats.filter((seat) => seat.role !== role && seat.channel !== channel);
    this.seats = channel === null ? others : [...others, { role, channel }].sort((a, b) => a.channel - b.channel);
  }

  /** Each role has the microphone of its place in the list, as far as there are any. */
  seatInOrder(roles: readonly string[]): void {
    this.seats = roles.slice(0, this.channels).map((role, channel) => ({ role, channel }));
  }

  choices(): SetupChoices {
    const cameras = Object.entries(this.names).map(([candidate, name]) => ({ candidate, name }));
    const microphones = this.microphones === '' ? null : { name: this.microphones, channels: this.channels };
    return { cameras, microphones, seats: this.seats, replaces: this.replaces };
  }

  async #poll(): Promise<void> {
    if (this.busy === '') await this.look();
    const quick = this.shown !== null && (this.shown.listening !== null || this.shown.state === 'working' || this.shown.searching);
    if (!this.signedOut) this.#timer = window.setTimeout(() => void this.#poll(), quick ? QUICK_MS : SLOW_MS);
  }

  #take(shown: Setup): void {
    if (this.shown === null && shown.state !== 'choosing') {
      this.step = 'prove'; // the page was loaded again meanwhile
      this.begun = true;
    }
    this.shown = shown;
    this.signedOut = false;
    const listening = shown.listening;
    if (listening !== null && listening.role !== '' && listening.proposed !== null) {
      this.seat(listening.role, listening.proposed);
      void this.ask('');
    }
  }

  #failed(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) {
      this.signedOut = true;
      this.problem = '';
    } else this.problem = explain(error);
  }
}
