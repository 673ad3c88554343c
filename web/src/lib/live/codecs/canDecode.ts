/** Whether this browser decodes a live track by WebCodecs. What it was asked once it is not asked again. */

import { type Envelope, KIND, parseInit } from '../../envelope';
import { unplayable } from '../codecNames';
import { readTrack } from './codedSamples';

const answers = new Map<string, boolean>();

/** False for an init segment that it is known not to decode; `onRefused` then, or later, when the browser has said so, with
 * the codec's name. */
export function canDecode(envelope: Envelope, onRefused: (codec: string) => void): boolean {
  if (envelope.kind !== KIND.init) return true;
  const mime = parseInit(envelope.payload)?.mime ?? '';
  const known = answers.get(mime);
  const refuse = (): void => onRefused(unplayable(mime, () => false));
  if (known === false) refuse();
  else if (known === undefined) void ask(mime, envelope).then((can) => can || refuse());
  return known !== false;
}

async function ask(mime: string, envelope: Envelope): Promise<boolean> {
  const can = await supports(envelope).catch(() => false); // a codec that it knows nothing of, or an init that is none
  answers.set(mime, can);
  return can;
}

async function supports(envelope: Envelope): Promise<boolean> {
  const init = parseInit(envelope.payload);
  if (init === null) return false;
  const { kind, codec, channels: numberOfChannels, rateHz: sampleRate } = readTrack(init.mime, init.segment);
  const { supported } =
    kind === 'video'
      ? await VideoDecoder.isConfigSupported({ codec, optimizeForLatency: true })
      : await AudioDecoder.isConfigSupported({ codec, numberOfChannels, sampleRate });
  return supported === true;
}
