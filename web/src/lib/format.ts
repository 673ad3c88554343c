/** Numbers as people read them. All take milliseconds. */

export function pad(value: number, width = 2): string {
  return String(Math.trunc(value)).padStart(width, '0');
}

/** 00:12:34 */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${pad(s / 3600)}:${pad((s / 60) % 60)}:${pad(s % 60)}`;
}

/** Of the hearing's own time: 00:12:33, and −00:00:05 before its opening. */
export function sinceOpening(ms: number): string {
  return ms < 0 ? `−${duration(Math.ceil(-ms / 1000) * 1000)}` : duration(ms);
}

/** Local time of day of a UTC moment, 10:31:05 */
export function clock(utcMs: number, seconds = true): string {
  const d = new Date(utcMs);
  const hm = `${pad(d.getHours())}:${pad(d.getMinutes())}`;
  return seconds ? `${hm}:${pad(d.getSeconds())}` : hm;
}

/** 2026-11-22 in local time. */
export function date(utcMs: number): string {
  const d = new Date(utcMs);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
}

/** 2026-11-22 10:31:05 */
export function dateTime(utcMs: number): string {
  return `${date(utcMs)} ${clock(utcMs)}`;
}

/** 1.4 MB */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** A short age: 2 s, 3 min, 5 h */
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return `${Math.floor(s / 3600)} h`;
}
