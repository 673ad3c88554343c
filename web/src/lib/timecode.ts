/**
 * Reads the machine-readable time code of a picture (hardware/timecode.py): UTC in milliseconds, null when it cannot be
 * read for sure. `imageData` is the whole picture in any size down to 320 pixels wide.
 *
 * Self-contained on purpose: the browser tests inject its source into the page. (The benchmark has its own reader, which
 * looks at the strip alone: reading whole pictures back would slow what it measures.)
 */
export function readTimecode(imageData: { data: Uint8ClampedArray | Uint8Array; width: number; height: number }): number | null {
  const { data, width, height } = imageData;
  const cells: number[] = [];
  for (let row = 0; row < 2; row += 1) {
    const top = (height * (43 + row)) / 45;
    const y0 = Math.floor(top + height / 180);
    const y1 = Math.max(Math.floor(top + height / 60), y0 + 1);
    for (let column = 0; column < 32; column += 1) {
      const x0 = Math.floor((width * (column + 0.25)) / 32);
      const x1 = Math.max(Math.floor((width * (column + 0.75)) / 32), x0 + 1);
      let sum = 0;
      for (let y = y0; y < y1; y += 1) {
        for (let x = x0; x < x1; x += 1) {
          const at = (y * width + x) * 4;
          sum += 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
        }
      }
      cells.push(sum / ((y1 - y0) * (x1 - x0)));
    }
  }
  const low = Math.min(...cells);
  const high = Math.max(...cells);
  if (high - low < 60) return null;
  const bytes: number[] = [];
  for (let i = 0; i < 64; i += 8) {
    bytes.push(cells.slice(i, i + 8).reduce((byte, cell) => byte * 2 + (cell > (low + high) / 2 ? 1 : 0), 0));
  }
  let crc = 0xffff;
  for (const byte of bytes.slice(0, 6)) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  if (crc !== (bytes[6] ?? 0) * 256 + (bytes[7] ?? 0)) return null;
  return bytes.slice(0, 6).reduce((ms, byte) => ms * 256 + byte, 0);
}
