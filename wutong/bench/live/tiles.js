// Runs inside the page of the wall that is measured, after timecode.js. `__COPIES__` is how often the page is to be told of
// each room: what the center says of a room is handed to it once more under other addresses, and what it asks for of those
// is asked of the room. The wall is the product's own, and so is all that decodes and paints.
(() => {
  const COPIES = __COPIES__, SMALL = "/tile", REPAINT_MS = 1000 / 60, REST = 30;
  const result = { tiles: {}, lost: 0, delays: [], unreadable: 0, opened_ms: [] };
  window.__wutong_tiles = result;
  /** What was seen so far does not count. */
  window.__wutong_begin = () => {
    [result.lost, result.unreadable, result.delays] = [0, 0, []];
    for (const tile of Object.values(result.tiles)) tile.looks = [];
  };

  const copyOf = (address, n) => (n === 0 ? address : address.replace(/^([^/]+\/[^/]+)/, `$1.copy${n}`));
  const roomOf = (address) => address.replace(/\.copy\d+/, "");
  const copies = (of) => Array.from({ length: COPIES }, (_, n) => of(n));
  const tileOf = (track) => (result.tiles[track] ??= { received: 0, looks: [] });

  function texts(text) {
    const said = JSON.parse(text);
    const again = (more) => copies((n) => JSON.stringify({ ...said, ...more(n) }));
    if (said.type === "rooms" || said.type === "changes") {
      const named = (room, n) => (n > 0 && room.room_name ? { room_name: `${room.room_name} ${n + 1}` } : {});
      const rooms = said.rooms.flatMap((room) => copies((n) => ({ ...room, ...named(room, n), address: copyOf(room.address, n) })));
      return [JSON.stringify({ ...said, rooms })];
    }
    if (said.type === "lost") return again((n) => ({ address: copyOf(said.address, n) }));
    return typeof said.room === "string" ? again((n) => ({ room: copyOf(said.room, n) })) : [text];
  }

  const FRAGMENT = 2, last = new Map();
  function media(message) {
    const bytes = new Uint8Array(message), end = 1 + bytes[0];
    const track = new TextDecoder().decode(bytes.subarray(1, end));
    if (track.endsWith(SMALL) && bytes[end + 3] === FRAGMENT) {
      const sequence = new DataView(message).getUint32(end + 10), before = last.get(track);
      // What begins anew, or was counted anew, is no loss; a gap of some pictures is.
      if (before !== undefined && sequence > before + 1 && sequence < before + 1000) result.lost += COPIES * (sequence - before - 1);
      last.set(track, sequence);
      for (const one of copies((n) => copyOf(track, n))) tileOf(one).received++;
    }
    return copies((n) => {
      const address = new TextEncoder().encode(copyOf(track, n));
      const out = new Uint8Array(1 + address.length + bytes.length - end);
      out[0] = address.length;
      out.set(address, 1);
      out.set(bytes.subarray(end), 1 + address.length);
      return out.buffer;
    });
  }

  class ManyRooms extends WebSocket {
    addEventListener(type, listener, options) {
      if (type !== "message") return super.addEventListener(type, listener, options);
      super.addEventListener(type, ({ data }) => {
        const all = typeof data === "string" ? texts(data) : media(data);
        for (const one of all) listener(new MessageEvent("message", { data: one }));
      }, options);
    }
    send(line) {
      const asked = JSON.parse(line);
      for (const key of ["watch", "rooms", "sight"]) if (asked[key]) asked[key] = [...new Set(asked[key].map(roomOf))].sort();
      super.send(JSON.stringify(asked));
    }
  }
  window.WebSocket = ManyRooms;

  // What each tile has decoded and painted, as its player says; all of one report.
  setInterval(() => {
    for (const canvas of document.querySelectorAll(".tile canvas[data-live]")) {
      const { track, frames, decoded, stalls } = canvas.dataset;
      if (!frames) continue;
      const tile = tileOf(track);
      tile.looks.push([performance.now(), tile.received, Number(decoded), Number(frames), Number(stalls)]);
      tile.size = [canvas.width, canvas.height];
    }
  }, 250);

  // A tile's strip is looked at in each repaint until it changes; then the next tile's, after a while, for reading pixels back
  // costs as much as painting them.
  let turn = 0, before = null, rest = 0;
  const look = (now) => {
    requestAnimationFrame(look);
    if (rest-- > 0) return;
    const all = document.querySelectorAll(".tile canvas[data-live]");
    const canvas = all[turn % Math.max(all.length, 1)];
    if (!canvas?.dataset.shownMs) return void turn++;
    const code = readTimeCode(canvas);
    if (code === null) {
      result.unreadable++;
      [before, rest] = [null, 1];
      turn++;
      return;
    }
    if (before === null || before === code) return void (before = code);
    result.delays.push(performance.timeOrigin + now + REPAINT_MS - code);
    [before, rest] = [null, REST];
    turn++;
  };
  requestAnimationFrame(look);

  // From the click on a tile to the first picture of the camera itself, which is larger than any tile.
  document.addEventListener("click", (event) => {
    const tile = event.target.closest?.(".tile");
    if (!tile) return;
    const begun = performance.now(), track = `${tile.dataset.room}/bench`;
    const wait = (now) => {
      const canvas = document.querySelector(`canvas[data-live][data-track="${track}"]`);
      if (canvas?.dataset.shownMs && canvas.width > 720) result.opened_ms.push(now + REPAINT_MS - begun);
      else requestAnimationFrame(wait);
    };
    requestAnimationFrame(wait);
  }, { capture: true });
})();
