/** Words of the inspect screen alone. */

export const zh = {} as const;

export const en: Record<keyof typeof zh, string> = {};
