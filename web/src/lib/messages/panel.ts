/** Words of the panel screen alone. */

export const zh = {} as const;

export const en: Record<keyof typeof zh, string> = {};
