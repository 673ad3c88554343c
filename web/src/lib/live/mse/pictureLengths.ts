/** How long each picture is said to last, so that no media element takes the time up to the next one for a hole.
 *
 * What comes live says how long its picture is expected to last, and the next one may come later: a camera sends fewer
 * pictures in the dark, a copy is made at half of the rate. An element that is given a picture whose decode time lies more
 * than twice the said length behind the one before it drops that and all up to the next key frame (Media Source Extensions,
 * coded frame processing). One that is said to last too long costs it nothing, since the next takes its place; only what it
 * says to have buffered is longer than what there is.
 *
 * So a picture behind which another one waits lasts up to that, and the newest `SPARE` times as long as the longest of late.
 * Of what is not understood nothing is changed. Sound is none of this.
 */

import { boxesIn, boxInside, type Box, Mp4Error, u32, u64 } from '../../boxes';

type Bytes = Uint8Array<ArrayBuffer>;

/** An element takes twice of what is said: so pictures may come up to four times as seldom as they did. */
const SPARE = 2;
/** While nothing was measured, and never more, seconds. */
const MOST_S = 1;
/** Pictures of which the longest counts: two seconds at 25 a second. */
const OF_LATE = 50;

/** The last picture of a fragment, as the fragment says it; times in ticks. */
export interface LastPicture {
  bytes: Bytes;
  /** Where in them its length stands. */
  place: number;
  /** When it is decoded. */
  at: number;
  said: number;
  /** From then to the next picture's decode time; null while that has not come. */
  lasted: number | null;
}

export class PictureLengths {
  #timescale: number;
  #before: LastPicture | null = null;
  #distances: number[] = [];

  /** `segment`: the init segment of the track. `Mp4Error` where it does not say in what it counts time. */
  constructor(segment: Bytes) {
    const view = viewOf(segment);
    const mdhd = boxInside(view, { from: 0, to: view.byteLength }, 'moov', 'trak', 'mdia', 'mdhd');
    this.#timescale = u32(view, mdhd, u32(view, mdhd, 0) >>> 24 === 1 ? 20 : 12);
    if (this.#timescale === 0) throw new Mp4Error('a track counts no time');
  }

  /** A fragment came; `follows`: nothing is missing between it and the one before it. Null where its lengths stay as they are. */
  came(bytes: Bytes, follows: boolean): LastPicture | null {
    const [first, last] = read(bytes) ?? [0, null];
    const before = this.#before;
    this.#before = last;
    if (last === null || before === null || !follows) return last;
    const distance = first - before.at;
    if (distance <= 0) return last;
    before.lasted = distance;
    this.#distances.push(distance);
    if (this.#distances.length > OF_LATE) this.#distances.shift();
    return last;
  }

  /** Write how long the picture lasts, no shorter than it says. By how much that is more than what is expected, seconds. */
  write(picture: LastPicture): number {
    const longest = Math.max(0, ...this.#distances);
    const most = MOST_S * this.#timescale;
    const spare = Math.min(most, longest === 0 ? most : SPARE * longest);
    const lasts = Math.round(Math.max(picture.said, picture.lasted ?? spare));
    viewOf(picture.bytes).setUint32(picture.place, lasts);
    const expected = picture.lasted ?? this.#distances.at(-1) ?? 0;
    return (lasts - Math.max(picture.said, expected)) / this.#timescale;
  }
}

/** The decode time of a fragment's first picture, and its last picture; null where the length of that has no place of its own. */
function read(bytes: Bytes): [number, LastPicture] | null {
  try {
    const view = viewOf(bytes);
    const traf = boxInside(view, { from: 0, to: view.byteLength }, 'moof', 'traf');
    const tfdt = boxInside(view, traf, 'tfdt');
    const first = u32(view, tfdt, 0) >>> 24 === 1 ? u64(view, tfdt, 4) : u32(view, tfdt, 4);
    const [trun, another] = [...boxesIn(view, traf.from, traf.to)].filter((box) => box.name === 'trun');
    if (trun === undefined || another !== undefined) return null;
    const [flags, count] = [u32(view, trun, 0), u32(view, trun, 4)];
    if ((flags & 0x100) === 0) {
      const alone = count === 1 ? placeOfDefault(view, boxInside(view, traf, 'tfhd')) : null;
      return alone === null ? null : [first, { bytes, place: alone, at: first, said: view.getUint32(alone), lasted: null }];
    }
    const rows = 8 + 4 * bits(flags & 0x5);
    const row = 4 * bits(flags & 0xf00);
    if (count === 0 || trun.from + rows + row * count > trun.to) return null;
    let at = first;
    for (let n = 0; n < count - 1; n += 1) at += u32(view, trun, rows + row * n);
    const place = rows + row * (count - 1);
    return [first, { bytes, place: trun.from + place, at, said: u32(view, trun, place), lasted: null }];
  } catch (error) {
    if (error instanceof Mp4Error) return null;
    throw error;
  }
}

/** Where a fragment says how long each of its samples lasts; null where only the init does. */
function placeOfDefault(view: DataView, tfhd: Box): number | null {
  const flags = u32(view, tfhd, 0);
  if ((flags & 0x8) === 0) return null;
  const at = 8 + ((flags & 0x1) === 0 ? 0 : 8) + ((flags & 0x2) === 0 ? 0 : 4);
  u32(view, tfhd, at); // it is inside of its box
  return tfhd.from + at;
}

function bits(flags: number): number {
  return [...flags.toString(2)].filter((digit) => digit === '1').length;
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
