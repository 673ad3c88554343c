/** Names of courts by their slugs, as far as they were heard; what is not known yet is asked for once. */

import type { CourtListed } from '../../lib/types';
import { SvelteMap } from 'svelte/reactivity';
import { adminPeople } from './adminPeople';

/** So many courts are looked at for the one that is meant; with more nobody knows. */
const FEW = 2;

class CourtNames {
  readonly #names = new SvelteMap<string, string>();
  readonly #asked = new Set<string>();
  #recent = '';

  /** The name, or the slug until it is known. */
  of(slug: string): string {
    const name = this.#names.get(slug);
    if (name === undefined && slug !== '' && !this.#asked.has(slug)) void this.#ask(slug);
    return name ?? slug;
  }

  heard(courts: readonly Pick<CourtListed, 'slug' | 'name'>[]): void {
    for (const { slug, name } of courts) if (this.#names.get(slug) !== name) this.#names.set(slug, name);
  }

  /** Somebody has chosen or added this court: what is added next is mostly of it, too. */
  chosen(slug: string): void {
    this.#recent = slug;
  }

  /** The court that was chosen last; '' before. */
  get recent(): string {
    return this.#recent;
  }

  /** The court of what is added: the one that was chosen last, else the only one that has none below it, else ''. */
  async usual(): Promise<string> {
    if (this.#recent !== '') return this.#recent;
    try {
      const { rows, total } = await adminPeople.courts(new URLSearchParams({ limit: String(FEW) }));
      this.heard(rows);
      const last = rows.filter(({ slug }) => !rows.some(({ parent }) => parent === slug));
      if (total === rows.length && last.length === 1) this.#recent = last[0]?.slug ?? '';
    } catch {
      // Nothing is offered then; the field is filled by hand.
    }
    return this.#recent;
  }

  async #ask(slug: string): Promise<void> {
    this.#asked.add(slug);
    try {
      const { rows } = await adminPeople.courts(new URLSearchParams({ q: slug, limit: '20' }));
      this.heard(rows);
    } catch {
      this.#asked.delete(slug); // asked again when it is shown again; the slug says it meanwhile
    }
  }
}

export const courtNames = new CourtNames();
