/** Names of courts by their slugs, as far as they were heard; what is not known yet is asked for once. */

import type { CourtListed } from '../../lib/types';
import { SvelteMap } from 'svelte/reactivity';
import { adminPeople } from './adminPeople';

class CourtNames {
  readonly #names = new SvelteMap<string, string>();
  readonly #asked = new Set<string>();

  /** The name, or the slug until it is known. */
  of(slug: string): string {
    const name = this.#names.get(slug);
    if (name === undefined && slug !== '' && !this.#asked.has(slug)) void this.#ask(slug);
    return name ?? slug;
  }

  heard(courts: readonly Pick<CourtListed, 'slug' | 'name'>[]): void {
    for (const { slug, name } of courts) if (this.#names.get(slug) !== name) this.#names.set(slug, name);
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
