/** What must outlive the page, in this browser: one entry for each thing, so that two tabs overwrite nothing of each
 * other. A browser that keeps nothing (full, forbidden) is no error, as what is on the page is sent all the same; but
 * `put` says so, for the clerk to know. An entry that cannot be read stands in the way of no other. */
export class BrowserStore<Value> {
  constructor(
    private readonly storage: Storage,
    private readonly prefix: string,
  ) {}

  /** False when the browser did not keep it. */
  put(name: string, value: Value): boolean {
    try {
      this.storage.setItem(this.prefix + name, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  }

  drop(name: string): void {
    try {
      this.storage.removeItem(this.prefix + name);
    } catch {
      // A browser that keeps nothing has nothing to drop.
    }
  }

  all(): Record<string, Value> {
    const found: Record<string, Value> = {};
    for (const key of this.#keys()) {
      try {
        const value = JSON.parse(this.storage.getItem(key) ?? 'null') as Value | null;
        if (value !== null && typeof value === 'object') found[key.slice(this.prefix.length)] = value;
      } catch {
        // Not ours, or cut short: the others count all the same.
      }
    }
    return found;
  }

  #keys(): string[] {
    try {
      const places = Array.from({ length: this.storage.length }, (_, place) => this.storage.key(place));
      return places.filter((key): key is string => key?.startsWith(this.prefix) === true);
    } catch {
      return [];
    }
  }
}
