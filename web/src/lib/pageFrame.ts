/** Where a page lies in the space that it is given. The composed picture has the same rules (hardware/program/page.py). */

/** What of an exhibit is seen: `zoom` ≥ 1, `x` and `y` the point of the page in the middle, 0…1. */
export interface ExhibitFrame {
  page: number;
  zoom: number;
  x: number;
  y: number;
}

export interface Size {
  w: number;
  h: number;
}

const TALL = 3;
const WIDE = 6;
/** How far a picture is enlarged before a larger one is asked for. */
const SOFT = 1.25;

/** So much higher than wide (or wider than high) that all of it would be a line: a chat's screenshot, a scroll. */
export function isStrip(page: Size): boolean {
  return page.h / page.w > TALL || page.w / page.h > WIDE;
}

/** Pixels of the space to one of the page: the whole page fits, a strip fits across and is moved along. */
function scaleOf(page: Size, room: Size, zoom: number): number {
  const [across, along] = [room.w / page.w, room.h / page.h];
  return (isStrip(page) ? Math.max(across, along) : Math.min(across, along)) * zoom;
}

/** The page at this view; it moves so that (x, y) is in the middle without leaving out paper that could be shown. */
export function placed(page: Size, room: Size, view: ExhibitFrame): { w: number; h: number; left: number; top: number } {
  const scale = scaleOf(page, room, view.zoom);
  const [w, h] = [page.w * scale, page.h * scale];
  const along = (size: number, space: number, at: number): number =>
    size <= space ? (space - size) / 2 : Math.min(0, Math.max(space - size, space / 2 - at * size));
  return { w, h, left: along(w, room.w, view.x), top: along(h, room.h, view.y) };
}

/** Whether something of the page is outside of the space, so that it can be moved. */
export function canMove(page: Size | null, room: Size, zoom: number): boolean {
  if (page === null || room.w === 0) return zoom > 1;
  const { w, h } = placed(page, room, { page: 1, zoom, x: 0, y: 0 });
  return w > room.w + 1 || h > room.h + 1;
}

/** The point of the page that is really in the middle, and how far it may go: what is dragged must follow at once. */
export function clamped(page: Size, room: Size, view: ExhibitFrame): ExhibitFrame {
  const { w, h } = placed(page, room, view);
  const along = (size: number, space: number, at: number): number => {
    const edge = size <= space ? 0.5 : space / 2 / size;
    return Math.min(1 - edge, Math.max(edge, at));
  };
  return { ...view, x: along(w, room.w, view.x), y: along(h, room.h, view.y) };
}

/** The scale of the picture (1, 2 or 4) that is sharp; `page` is the size of that of scale 1, `room` in device pixels. */
export function sharpScale(page: Size, room: Size, zoom: number): 1 | 2 | 4 {
  const wanted = scaleOf(page, room, zoom);
  return wanted <= SOFT ? 1 : wanted <= 2 * SOFT ? 2 : 4;
}
