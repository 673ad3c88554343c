/** What this browser cannot play, in words for the person before it. Where that is not asked before, a player waits for ever. */

import { t } from '../i18n.svelte';
import { unplayable } from './codecNames';

/** Why the type cannot be played, in words; '' when it can. Of '', a type that is not known yet, only what plays none at all
 * says something. */
export function whyUnplayable(mime: string): string {
  if (typeof MediaSource === 'undefined') return t('media.noSource');
  const codec = unplayable(mime);
  if (codec === '') return '';
  return t(mime.startsWith('audio/') ? 'media.noSoundCodec' : 'media.noPictureCodec', { codec });
}
