import { describe, expect, it } from 'vitest';
import { canMove, clamped, isStrip, placed, sharpScale } from './pageFrame';

const display = { w: 1880, h: 900 };
const whole = { page: 1, zoom: 1, x: 0.5, y: 0.5 };

describe('a page in its space', () => {
  it('is shown whole when it is a sheet', () => {
    const at = placed({ w: 1357, h: 1920 }, display, whole);
    expect(Math.round(at.h)).toBe(900);
    expect(at.top).toBe(0);
    expect(canMove({ w: 1357, h: 1920 }, display, 1)).toBe(false);
    expect(canMove({ w: 1357, h: 1920 }, display, 2)).toBe(true);
  });

  it('fills the width when it is the screenshot of a chat, and begins at its top', () => {
    const chat = { w: 600, h: 13_333 };
    const at = placed(chat, display, { ...whole, y: 0 });
    expect([Math.round(at.w), at.left, at.top]).toEqual([1880, 0, 0]);
    expect(canMove(chat, display, 1)).toBe(true);
    expect(placed(chat, display, { ...whole, y: 1 }).top).toBe(display.h - at.h);
  });

  it('fills the height when it is a scroll, and begins at its left', () => {
    const scroll = { w: 13_333, h: 600 };
    const at = placed(scroll, display, { ...whole, x: 0 });
    expect([Math.round(at.h), at.left, at.top]).toEqual([900, 0, 0]);
  });

  it.each([
    [1080, 2400, false],
    [1080, 3300, true],
    [1920, 1080, false],
    [5000, 800, true],
  ])('%d × %d: a strip is %s', (w, h, strip) => expect(isStrip({ w, h })).toBe(strip));

  it('follows a finger at once, also at its beginning and end', () => {
    const chat = { w: 600, h: 13_333 };
    const edge = clamped(chat, display, { ...whole, y: 0 }).y;
    expect(placed(chat, display, { ...whole, y: edge }).top).toBeCloseTo(0);
    expect(placed(chat, display, { ...whole, y: edge + 0.01 }).top).toBeLessThan(-100);
    expect(clamped(chat, display, { ...whole, x: 0.9 }).x).toBeCloseTo(0.5);
  });

  it('asks for a larger picture only when it would be soft', () => {
    const sheet = { w: 1357, h: 1920 };
    expect(sharpScale(sheet, display, 1)).toBe(1);
    expect(sharpScale(sheet, display, 4)).toBe(2);
    expect(sharpScale({ w: 600, h: 13_333 }, display, 1)).toBe(4);
  });
});
