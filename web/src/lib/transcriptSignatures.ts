/** Who signed the transcript of a hearing, as the center reports it. */

export interface TranscriptSignatures {
  transcripts: { id: string; version: number; sha256: string; at_utc_ms: number }[];
  signatures: {
    id: string;
    transcript: string;
    role: string;
    name: string;
    act: string;
    reason?: string;
    at_utc_ms: number;
    /** [x, y, ms, pressure], x and y 0…1; for the archivist alone */
    strokes?: number[][][];
  }[];
  documents: { id: string; kind: string; transcript: string; bytes: number; at_utc_ms: number }[];
}

/** Kinds of events after which it must be asked for again. */
export const SIGNING = new Set(['transcript', 'signature', 'objection', 'document']);
