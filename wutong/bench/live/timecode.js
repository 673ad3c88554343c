// Reads the time code (hardware/timecode.py) from the pixels of what a video or canvas displays: milliseconds of UTC, or null.
const CODE_COLUMNS = 32;
const readTimeCode = (() => {
  const COLUMNS = CODE_COLUMNS, ROWS = 2, CELL_W = 4, CELL_H = 8, MIN_CONTRAST = 60;
  const canvas = new OffscreenCanvas(COLUMNS * CELL_W, ROWS * CELL_H);
  const paint = canvas.getContext("2d", { willReadFrequently: true });

  function crc16(bytes) {
    let crc = 0xffff;
    for (const byte of bytes) {
      crc ^= byte << 8;
      for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
    return crc;
  }

  return (element) => {
    const width = element.videoWidth ?? element.width, height = element.videoHeight ?? element.height;
    paint.drawImage(element, 0, (height * 43) / 45, width, (height * 2) / 45, 0, 0, canvas.width, canvas.height);
    const { data } = paint.getImageData(0, 0, canvas.width, canvas.height);
    const cells = [];
    for (let row = 0; row < ROWS; row++)
      for (let column = 0; column < COLUMNS; column++) {
        const x = column * CELL_W + CELL_W / 2, y = row * CELL_H + CELL_H / 2;
        cells.push(data[(y * canvas.width + x) * 4 + 1]);
      }
    const low = Math.min(...cells), high = Math.max(...cells);
    if (high - low < MIN_CONTRAST) return null;
    const bytes = [];
    for (let i = 0; i < 64; i += 8)
      bytes.push(cells.slice(i, i + 8).reduce((byte, cell) => (byte << 1) | (cell > (low + high) / 2 ? 1 : 0), 0));
    if (crc16(bytes.slice(0, 6)) !== ((bytes[6] << 8) | bytes[7])) return null;
    return bytes.slice(0, 6).reduce((ms, byte) => ms * 256 + byte, 0);
  };
})();
