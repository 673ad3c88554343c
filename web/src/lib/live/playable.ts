/** What this browser cannot play, by name and in words for the person before it.
 *
 * Browsers differ in what was built into them: some have no Media Source Extensions, some Chromiums no H.264, most no
 * H.265. Where that is not asked before, a player waits for ever.
 */

import { t } from '../i18n.svelte';

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

/** Why the type cannot be played, in words; '' when it can. Of '', a type that is not known yet, only what plays none at all
 * says something. */
export function whyUnplayable(mime: string): string {
  if (typeof MediaSource === 'undefined') return t('media.noSource');
  const codec = unplayable(mime);
  if (codec === '') return '';
  return t(mime.startsWith('audio/') ? 'media.noSoundCodec' : 'media.noPictureCodec', { codec });
}
