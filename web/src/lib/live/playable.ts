/** Whether this browser can play a track, and what to call what it cannot play. */

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/hvc1|hev1/, 'H.265 (HEVC)'],
  [/avc1|avc3/, 'H.264'],
  [/flac/, 'FLAC'],
  [/mp4a/, 'AAC'],
];

/** The name of the codec that this browser cannot play; '' when it can play the type. */
export function unplayable(mime: string, supports: (mime: string) => boolean = (type) => MediaSource.isTypeSupported(type)): string {
  if (mime === '' || supports(mime)) return '';
  return NAMES.find(([pattern]) => pattern.test(mime))?.[1] ?? mime;
}
