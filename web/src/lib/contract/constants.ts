// Written by tools/make_contract.py from Python's types: change those, and run it again.

/** What may still be said of a sealed hearing, and is sealed again. */
export const AFTER_SEAL = ['check', 'document', 'objection', 'revision', 'signature', 'transcript', 'utterance'] as const;

/** The kinds of events by which words are signed. */
export const SIGNING_KINDS = ['document', 'objection', 'signature', 'transcript'] as const;

/** The only three for which a recording is interrupted. */
export const PAUSE_REASONS = ['recess', 'closed_evidence', 'mediation'] as const;

/** Codes of alarms that do not affect the recording; all others do. */
export const HARMLESS = ['compatible', 'copy', 'disk', 'not-enrolled', 'program', 'selftest', 'slow-picture', 'transcriber'] as const;

/** Code and subject of the alarm that files were not decoded again in time. */
export const NOT_CHECKED = ['readback', 'readback'] as const;

/** So long before the opening a record may begin. */
export const PREROLL_MOST_MS = 10000;

/** A word of less probability than this is underlined. */
export const UNSURE_BELOW = 0.5;

/** Who revises by hand. */
export const CLERK = 'clerk' as const;

/** What revises by itself. */
export const CORRECTOR = 'corrector' as const;

/** So many rooms a tab may have in sight at once; of a longer list the first. */
export const MOST_IN_SIGHT = 128;
