// Runs inside the page that is measured, behind timecode.js: reads the time code from the pixels that a video or canvas
// element displays, frame by frame. `__TRACK__` is replaced by the value of the element's data-track, which is also how the
// track is called in what comes by the page's WebSocket. All `_ms` count from the moment at which the page was asked for.
(() => {
  const track = "__TRACK__";
  const result = { first_ms: null, samples: [], stalls: 0, frozen: 0, stalled_ms: [], unreadable: 0, frames: 0, media: 0, path: "", steps: {} };
  window.__wutong_live = result;

  // What lies on the way to the first picture, and when it was reached.
  const step = (name) => (result.steps[name] ??= performance.now());
  const KINDS = { 1: "init_came", 2: "media_came" };
  function tap(socket) {
    step("socket_begun");
    socket.addEventListener("open", () => step("socket_open"));
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") {
        step("first_told");
        return;
      }
      const bytes = new Uint8Array(data), length = bytes[0];
      if (new TextDecoder().decode(bytes.subarray(1, 1 + length)) !== track) return;
      const name = KINDS[bytes[1 + length + 3]];
      if (name) step(name);
      if (name === "media_came") result.media++;
    });
    const send = socket.send.bind(socket);
    socket.send = (line) => {
      if (typeof line === "string" && (JSON.parse(line).watch ?? []).includes(track)) step("asked");
      send(line);
    };
    return socket;
  }
  window.WebSocket = new Proxy(window.WebSocket, { construct: (made, given) => tap(new made(...given)) });
  function loaded() {
    const ended = (of) => of.reduce((most, one) => Math.max(most, one.responseEnd), 0);
    const all = performance.getEntriesByType("resource");
    const before = all.filter((one) => one.startTime < (result.steps.socket_begun ?? Infinity));
    result.steps.page = ended(performance.getEntriesByType("navigation"));
    result.steps.scripts = ended(before.filter((one) => one.initiatorType === "script" || one.initiatorType === "link"));
    result.steps.session = ended(all.filter((one) => one.name.endsWith("/api/session")).slice(0, 1));
    const record = ended(all.filter((one) => one.name.includes("/api/hearings/")).slice(0, 1));
    if (record) result.steps.record = record;
  }

  // A picture with this time code (null: unreadable) is on the screen at `shown`.
  let last = 0;
  const RECENT = 40, recent = [];
  function see(shown, code) {
    if (result.first_ms === null) {
      result.first_ms = shown;
      loaded();
    }
    // A second without a new picture is a stall, whether the element noticed it or not. Another element begins anew.
    else if (last > 0 && shown - last > 1000) {
      result.frozen++;
      result.stalled_ms.push(shown);
    }
    last = shown;
    if (code === null) result.unreadable++;
    else if (code !== undefined) {
      const delay = performance.timeOrigin + shown - code;
      result.samples.push([shown, delay]);
      recent.push(delay);
      if (recent.length > RECENT) recent.shift();
    }
  }

  function followVideo(video) {
    let seen = 0;
    result.path = "mse";
    video.addEventListener("waiting", () => {
      if (result.first_ms === null || document.visibilityState === "hidden") return;
      result.stalls++;
      result.stalled_ms.push(performance.now());
    });
    const onFrame = (now, meta) => {
      result.frames = meta.presentedFrames;
      // Reading pixels back costs as much as showing them: every third frame is enough, and disturbs less.
      see(meta.expectedDisplayTime, seen++ % 3 === 0 ? readTimeCode(video) : undefined);
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
      if (canvas.width <= CODE_COLUMNS || !canvas.dataset.shownMs || rest-- > 0) return;
      const code = readTimeCode(canvas);
      if (code === null || code === before) return;
      const measured = before !== null || result.first_ms === null;
      before = measured ? null : code;
      result.frames = Number(canvas.dataset.frames);
      const counted = Number(canvas.dataset.stalls || 0);
      if (counted > stalls) result.stalled_ms.push(now);
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
    step("player");
    last = 0;
    if (element.tagName === "VIDEO") followVideo(element);
    else followCanvas(element);
  };

  // Somebody looks at another tab (`seen` false), or at this one again: then how long it takes until a picture of now is
  // displayed. A headless browser hides none of its tabs; what is done here is what the page sees of it.
  const OF_NOW_MS = 1000, BEYOND_MS = 500, NEVER_MS = 10000;
  window.__wutong_look = (seen) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (seen ? "visible" : "hidden") });
    const begun = performance.now();
    last = 0; // the time between is no stall
    if (!seen) document.querySelectorAll("video").forEach((video) => video.pause());
    document.dispatchEvent(new Event("visibilitychange"));
    if (!seen) return null;
    const usual = [...recent].sort((a, b) => a - b)[recent.length >> 1] ?? 0;
    const most = Math.max(OF_NOW_MS, usual + BEYOND_MS);
    return new Promise((resolve) => {
      const next = (now) => {
        const code = found && readTimeCode(found), shown = now + REPAINT_MS;
        if (code !== null && performance.timeOrigin + shown - code < most) {
          last = 0;
          resolve(shown - begun);
        } else if (now - begun > NEVER_MS) resolve(null);
        else requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    });
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-track"] });
})();
