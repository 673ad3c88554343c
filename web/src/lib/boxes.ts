/** The boxes of MP4, read within their bounds: what says to be larger than what holds it is an error, never a guess. */

export class Mp4Error extends Error {}

/** A box's content: from (inclusive) to (exclusive), bytes of the view. */
export interface Box {
  name: string;
  /** Where the box itself begins, its head included. */
  at: number;
  from: number;
  to: number;
}

const MOST_CHILDREN = 1024;

/** The boxes between two positions, one after the other; `most`: an honest box holds few. `Mp4Error` at one that is cut short. */
export function* boxesIn(view: DataView, from: number, to: number, most = MOST_CHILDREN): Generator<Box> {
  let at = from;
  for (let count = 0; at < to; count += 1) {
    if (count >= most || to - at < 8) throw new Mp4Error('boxes without an end');
    let size = view.getUint32(at);
    let head = 8;
    if (size === 1) {
      if (to - at < 16) throw new Mp4Error('a box is cut short');
      size = Number(view.getBigUint64(at + 8));
      head = 16;
    }
    if (size < head || size > to - at) throw new Mp4Error('a box is larger than what holds it');
    const name = String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5), view.getUint8(at + 6), view.getUint8(at + 7));
    yield { name, at, from: at + head, to: at + size };
    at += size;
  }
}

/** The first box at a path below another; `Mp4Error` without one. */
export function boxInside(view: DataView, box: { from: number; to: number }, ...path: string[]): Box {
  let here: Box | null = null;
  for (const name of path) here = firstBox(view, here ?? box, name);
  if (here === null) throw new Mp4Error('no path');
  return here;
}

function firstBox(view: DataView, box: { from: number; to: number }, name: string): Box {
  for (const one of boxesIn(view, box.from, box.to)) if (one.name === name) return one;
  throw new Mp4Error(`no ${name} box`);
}

/** 32 bits of a box's content, `at` bytes after its beginning. */
export function u32(view: DataView, box: { from: number; to: number }, at: number): number {
  if (at < 0 || box.from + at + 4 > box.to) throw new Mp4Error('a box is shorter than what it must hold');
  return view.getUint32(box.from + at);
}

/** 64 bits, as far as a number holds them exactly. */
export function u64(view: DataView, box: { from: number; to: number }, at: number): number {
  const value = u32(view, box, at) * 2 ** 32 + u32(view, box, at + 4);
  if (!Number.isSafeInteger(value)) throw new Mp4Error('a number beyond what this browser counts');
  return value;
}
