// Runs inside the page that is measured: reads the time code (hardware/timecode.py) from the pixels that a video or canvas
// element displays, frame by frame. `__TRACK__` is replaced by the value of the element's data-track.
(() => {
  const track = "__TRACK__";
  const COLUMNS = 32, ROWS = 2, CELL_W = 4, CELL_H = 8, MIN_CONTRAST = 60;
  const result = { first_ms: null, samples: [], stalls: 0, frozen: 0, unreadable: 0, frames: 0, path: "" };
  window.__wutong_live = result;
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

  function read(element) {
    const w = element.videoWidth ?? element.width, h = element.videoHeight ?? element.height;
    paint.drawImage(element, 0, (h * 43) / 45, w, (h * 2) / 45, 0, 0, canvas.width, canvas.height);
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
  }

  // A picture with this time code (null: unreadable) is on the screen at `shown`.
  let last = 0;
  function see(shown, code) {
    if (result.first_ms === null) result.first_ms = shown;
    // A second without a new picture is a stall, whether the element noticed it or not.
    else if (shown - last > 1000) result.frozen++;
    last = shown;
    if (code === null) result.unreadable++;
    else if (code !== undefined) result.samples.push([shown, performance.timeOrigin + shown - code]);
  }

  function followVideo(video) {
    let seen = 0;
    result.path = "mse";
    video.addEventListener("waiting", () => { if (result.first_ms !== null) result.stalls++; });
    const onFrame = (now, meta) => {
      result.frames = meta.presentedFrames;
      // Reading pixels back costs as much as showing them: every third frame is enough, and disturbs less.
      see(meta.expectedDisplayTime, seen++ % 3 === 0 ? read(video) : undefined);
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }

  // A canvas tells nobody that it was painted: its strip is looked at in each repaint until it changes. What is seen in one is
  // on the screen with the next, as the browser says of a video's frames. Reading pixels back costs as much as painting them,
  // so between two changes that are measured some repaints are passed over, and then the picture that is there counts for none.
  const REPAINT_MS = 1000 / 60, PASSED_OVER = 5;
  function followCanvas(canvas) {
    let before = null, rest = 0, stalls = 0;
    result.path = "webcodecs";
    const look = (now) => {
      if (found !== canvas) return;
      requestAnimationFrame(look);
      if (canvas.width <= COLUMNS || !canvas.dataset.shownMs || rest-- > 0) return;
      const code = read(canvas);
      if (code === null || code === before) return;
      const measured = before !== null || result.first_ms === null;
      before = measured ? null : code;
      result.frames = Number(canvas.dataset.frames);
      const counted = Number(canvas.dataset.stalls || 0);
      result.stalls += counted - stalls;
      stalls = counted;
      if (!measured) return;
      rest = PASSED_OVER;
      see(now + REPAINT_MS, code);
    };
    requestAnimationFrame(look);
  }

  let found = null;
  const look = () => {
    const element = document.querySelector(`[data-live][data-track="${track}"]`);
    if (!element || element === found) return;
    found = element;
    if (element.tagName === "VIDEO") followVideo(element);
    else followCanvas(element);
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-track"] });
})();
