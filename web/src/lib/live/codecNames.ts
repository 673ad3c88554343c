/** What this browser cannot play, by the codec's name. Browsers differ in what was built into them: some have no Media Source
 * Extensions, some Chromiums no H.264, most no H.265. */

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/hvc1|hev1/, 'H.265 (HEVC)'],
  [/avc1|avc3/, 'H.264'],
  [/flac/i, 'FLAC'],
  [/mp4a/, 'AAC'],
];

function isSupported(mime: string): boolean {
  return typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(mime);
}

/** The name of the codec that this browser cannot play; '' when it can play the type. */
export function unplayable(mime: string, supports: (mime: string) => boolean = isSupported): string {
  if (mime === '' || supports(mime)) return '';
  return NAMES.find(([pattern]) => pattern.test(mime))?.[1] ?? mime;
}
