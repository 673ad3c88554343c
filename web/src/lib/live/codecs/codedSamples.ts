/** Takes a live track's init segment and fragments apart into what WebCodecs decodes: a configuration, and coded samples.
 *
 * Strict like sync/media/sample_tables.py: one track, samples that follow each other inside of the fragment, nothing read
 * beyond a box. All or nothing: a fragment that does not add up is an `Mp4Error` and gives no sample at all.
 */

import { type Box, boxesIn, boxInside, Mp4Error, u32, u64 } from '../../boxes';

type Bytes = Uint8Array<ArrayBuffer>;

/** The one track of an init segment. */
export interface CodedTrack {
  kind: 'video' | 'audio';
  /** RFC 6381, as the init's MIME type names it. */
  codec: string;
  /** Ticks of media time a second. */
  timescale: number;
  /** avcC, hvcC or AudioSpecificConfig. */
  description: Bytes;
  /** Sound only. */
  channels: number;
  rateHz: number;
  defaults: SampleDefaults;
}

interface SampleDefaults {
  duration: number;
  size: number;
  flags: number;
}

export interface CodedSample {
  /** When it is to be shown, room time in microseconds. */
  atUs: number;
  durationUs: number;
  key: boolean;
  bytes: Bytes;
}

const MOST_SAMPLES = 1000;
const NOT_A_KEY = 0x10000;

/** What a decoder of the track needs. `mime` as the INIT message names it. */
export function readTrack(mime: string, bytes: Bytes): CodedTrack {
  const view = viewOf(bytes);
  const moov = boxInside(view, { from: 0, to: view.byteLength }, 'moov');
  const mdia = boxInside(view, moov, 'trak', 'mdia');
  const mdhd = boxInside(view, mdia, 'mdhd');
  const timescale = u32(view, mdhd, u32(view, mdhd, 0) >>> 24 === 1 ? 20 : 12);
  if (timescale === 0) throw new Mp4Error('a track counts no time');
  const trex = boxInside(view, moov, 'mvex', 'trex');
  const defaults = { duration: u32(view, trex, 12), size: u32(view, trex, 16), flags: u32(view, trex, 20) };
  const codec = /codecs="([^"]+)"/.exec(mime)?.[1] ?? '';
  const stsd = boxInside(view, mdia, 'minf', 'stbl', 'stsd');
  const [entry] = boxesIn(view, stsd.from + 8, stsd.to);
  if (entry === undefined) throw new Mp4Error('a track without a description');
  if (/^(avc|hvc|hev)\d$/.test(entry.name)) {
    const config = boxInside(view, { from: entry.from + 78, to: entry.to }, entry.name.startsWith('avc') ? 'avcC' : 'hvcC');
    return { kind: 'video', codec, timescale, description: cut(bytes, config.from, config.to), channels: 0, rateHz: 0, defaults };
  }
  if (entry.name !== 'mp4a') throw new Mp4Error(`the codec ${entry.name} is not decoded here`);
  const channels = u32(view, entry, 16) >>> 16;
  const rateHz = (u32(view, entry, 24) >>> 16) || timescale; // above 65,535 Hz the field does not hold it
  const esds = boxInside(view, { from: entry.from + 28, to: entry.to }, 'esds');
  return { kind: 'audio', codec, timescale, description: aacConfig(bytes.subarray(esds.from + 4, esds.to)), channels, rateHz, defaults };
}

/** The samples of one FRAGMENT message in the order in which they are decoded. */
export function readSamples(bytes: Bytes, track: CodedTrack): CodedSample[] {
  const view = viewOf(bytes);
  let moof: Box | null = null;
  let media: Box | null = null;
  for (const box of boxesIn(view, 0, view.byteLength)) {
    if (box.name === 'moof' && moof === null) moof = box;
    else if (box.name === 'mdat' && moof !== null && media === null) media = box;
    else if (box.name === 'moof' || box.name === 'mdat') throw new Mp4Error('more than one fragment');
  }
  if (moof === null || media === null) throw new Mp4Error('a fragment lacks its moof or mdat box');
  const traf = boxInside(view, moof, 'traf');
  const tfdt = boxInside(view, traf, 'tfdt');
  const reader = new RunReader(bytes, track, moof, media, fragmentDefaults(view, traf, track.defaults));
  reader.ticks = u32(view, tfdt, 0) >>> 24 === 1 ? u64(view, tfdt, 4) : u32(view, tfdt, 4);
  for (const box of boxesIn(view, traf.from, traf.to)) if (box.name === 'trun') reader.take(view, box);
  if (reader.samples.length === 0) throw new Mp4Error('a fragment has no samples');
  return reader.samples;
}

function fragmentDefaults(view: DataView, traf: Box, track: SampleDefaults): SampleDefaults {
  const tfhd = boxInside(view, traf, 'tfhd');
  const flags = u32(view, tfhd, 0) & 0xffffff;
  if ((flags & 0x1) !== 0) throw new Mp4Error('a fragment counts from the start of its file');
  let at = 8 + ((flags & 0x2) !== 0 ? 4 : 0);
  const given = (bit: number, usual: number): number => {
    if ((flags & bit) === 0) return usual;
    at += 4;
    return u32(view, tfhd, at - 4);
  };
  return { duration: given(0x8, track.duration), size: given(0x10, track.size), flags: given(0x20, track.flags) };
}

/** Adds up the `trun` boxes of a fragment. */
class RunReader {
  readonly samples: CodedSample[] = [];
  /** Decode time of the next sample. */
  ticks = 0;
  #at = -1;

  constructor(
    private readonly bytes: Bytes,
    private readonly track: CodedTrack,
    private readonly moof: Box,
    private readonly media: Box,
    private readonly defaults: SampleDefaults,
  ) {}

  take(view: DataView, trun: Box): void {
    const version = u32(view, trun, 0) >>> 24;
    const flags = u32(view, trun, 0) & 0xffffff;
    const count = u32(view, trun, 4);
    if ((flags & 0x1) === 0) throw new Mp4Error('a fragment does not say where its samples are');
    if (this.samples.length + count > MOST_SAMPLES) throw new Mp4Error('a fragment announces too many samples');
    const begins = this.moof.at + (u32(view, trun, 8) | 0);
    if (this.#at >= 0 && begins !== this.#at) throw new Mp4Error('the samples of a fragment do not follow each other');
    this.#at = begins;
    let at = 12;
    const field = (bit: number, usual: number): number => {
      if ((flags & bit) === 0) return usual;
      at += 4;
      return u32(view, trun, at - 4);
    };
    const firstFlags = field(0x4, -1);
    for (let index = 0; index < count; index += 1) {
      const duration = field(0x100, this.defaults.duration);
      const size = field(0x200, this.defaults.size);
      const own = field(0x400, this.defaults.flags);
      const later = field(0x800, 0);
      this.#add(duration, size, index === 0 && firstFlags !== -1 ? firstFlags : own, version === 0 ? later : later | 0);
    }
  }

  #add(duration: number, size: number, flags: number, later: number): void {
    const from = this.#at;
    if (size === 0 || from < this.media.from || from + size > this.media.to) throw new Mp4Error('a sample lies outside of its fragment');
    const us = 1_000_000 / this.track.timescale;
    this.samples.push({
      atUs: Math.round((this.ticks + later) * us),
      durationUs: Math.round(duration * us),
      key: this.track.kind === 'audio' || (flags & NOT_A_KEY) === 0,
      bytes: this.bytes.subarray(from, from + size),
    });
    this.ticks += duration;
    this.#at = from + size;
  }
}

/** The AudioSpecificConfig inside of an esds box: ES → DecoderConfig → DecoderSpecificInfo. */
function aacConfig(descriptors: Bytes): Bytes {
  let at = 0;
  while (at < descriptors.byteLength) {
    const tag = descriptors[at];
    at += 1;
    let size = 0;
    for (let byte = 0x80, n = 0; (byte & 0x80) !== 0 && n < 4; n += 1) {
      byte = descriptors[at] ?? 0;
      at += 1;
      size = (size << 7) | (byte & 0x7f);
    }
    if (tag === 0x03) {
      const flags = descriptors[at + 2] ?? 0;
      at += 3 + ((flags & 0x80) !== 0 ? 2 : 0) + ((flags & 0x20) !== 0 ? 2 : 0);
      if ((flags & 0x40) !== 0) at += 1 + (descriptors[at] ?? 0);
    } else if (tag === 0x04) at += 13;
    else if (tag === 0x05 && size >= 2 && at + size <= descriptors.byteLength) return cut(descriptors, at, at + size);
    else at += size;
  }
  throw new Mp4Error('an AAC description is cut short');
}

/** A copy: what it is cut from may be large, or given away. */
function cut(bytes: Bytes, from: number, to: number): Bytes {
  return bytes.slice(from, to);
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
