/** The alarms of the room as the clerk has or has not seen them. One that ended before it was seen stays, marked as over. */

import type { Alarm } from '../lib/types';

export interface KnownAlarm extends Alarm {
  key: string;
  active: boolean;
  seen: boolean;
}

export class AlarmBook {
  list = $state<KnownAlarm[]>([]);

  /** What is to be looked at now: not seen yet. */
  get unseen(): KnownAlarm[] {
    return this.list.filter((a) => !a.seen);
  }

  get active(): KnownAlarm[] {
    return this.list.filter((a) => a.active);
  }

  /** The alarms that are on now, as the services say. */
  set(alarms: Alarm[]): void {
    const now = new Map(alarms.map((a) => [`${a.code}/${a.subject}`, a]));
    const next: KnownAlarm[] = [];
    for (const known of this.list) {
      const still = now.get(known.key);
      if (still) next.push({ ...known, text: still.text, active: true, seen: known.seen && known.active });
      else if (!known.seen) next.push({ ...known, active: false });
      now.delete(known.key);
    }
    for (const [key, alarm] of now) next.push({ ...alarm, key, active: true, seen: false });
    if (JSON.stringify(next) !== JSON.stringify(this.list)) this.list = next;
  }

  see(key: string): void {
    this.list = this.list.filter((a) => a.key !== key || a.active).map((a) => (a.key === key ? { ...a, seen: true } : a));
  }
}
