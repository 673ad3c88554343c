/** What must outlive the page, in this browser: one entry for each thing, so that two tabs overwrite nothing of each
 * other. A browser that keeps nothing (full, forbidden) is no error: what is on the page is sent all the same. */
export class Kept<Value> {
  constructor(
    private readonly storage: Storage,
    private readonly prefix: string,
  ) {}

  put(name: string, value: Value): void {
    try {
      this.storage.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      // See above.
    }
  }

  drop(name: string): void {
    try {
      this.storage.removeItem(this.prefix + name);
    } catch {
      // See above.
    }
  }

  all(): Record<string, Value> {
    const found: Record<string, Value> = {};
    try {
      for (let i = 0; i < this.storage.length; i += 1) {
        const key = this.storage.key(i);
        if (key?.startsWith(this.prefix)) found[key.slice(this.prefix.length)] = JSON.parse(this.storage.getItem(key) ?? '') as Value;
      }
    } catch {
      // Not ours, or cut short: what was read before it counts.
    }
    return found;
  }
}
