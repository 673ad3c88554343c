"use strict";
// One time line for everything: milliseconds since the earliest media of the hearing; all files begin there.
// The first picture is the master and carries the sound; the others follow it by small changes of speed.
const hearing = window.HEARING;
const $ = (id) => document.getElementById(id);
const two = (n) => String(Math.floor(n)).padStart(2, "0");
const clock = (ms) => { const s = Math.max(0, ms) / 1000; return `${two(s / 3600)}:${two(s / 60 % 60)}:${two(s % 60)}`; };
const sinceOpening = (ms) => clock(ms - hearing.opened_ms);
const wall = (ms) => new Date(hearing.opened_utc_ms + ms - hearing.opened_ms).toLocaleTimeString("zh-CN", { hour12: false });
const within = (list, ms) => list.find((item) => ms >= item.from_ms && ms < item.to_ms);

$("title").textContent = `${hearing.case.case_no || hearing.hearing}　${hearing.case.cause || ""}`;
document.title = `${hearing.case.case_no || hearing.hearing} 庭审回放`;
$("about").textContent = [hearing.court_name, hearing.room_name, new Date(hearing.opened_utc_ms).toLocaleString("zh-CN", { hour12: false }), hearing.excerpt ? "（摘录）" : ""].join("　");

const players = hearing.cameras.filter((camera) => camera.parts.length).map((camera, place) => {
  const figure = document.createElement("figure");
  const video = document.createElement("video");
  video.playsInline = true;
  video.preload = "auto";
  video.muted = place > 0;
  video.src = camera.parts[0].file;
  const name = document.createElement("figcaption");
  name.textContent = camera.name;
  figure.append(video, name);
  $("pictures").append(figure);
  return { camera, video, name, part: camera.parts[0] };
});
$("pictures").classList.toggle("one", players.length < 2);
const master = players[0];
// One seat alone: its own file in place of the mix, following the master like a picture.
const seat = new Audio();
for (const [i, { role }] of hearing.seats.entries()) {
  const option = document.createElement("option");
  option.value = String(i);
  option.textContent = `只听${role}`;
  $("sound").append(option);
}
$("sound").addEventListener("change", () => {
  const chosen = hearing.seats[$("sound").value];
  if (master) master.video.muted = Boolean(chosen);
  seat.pause();
  if (!chosen) return;
  seat.src = chosen.file;
  seat.currentTime = at / 1000;
  if (playing) seat.play().catch(() => undefined);
});
let at = 0;
let playing = false;

function choose(player, ms) {
  const part = [...player.camera.parts].reverse().find((p) => ms >= p.from_ms) || player.camera.parts[0];
  if (part === player.part) return;
  player.part = part;
  player.video.src = part.file;
  player.video.currentTime = ms / 1000;
  player.video.playbackRate = Number($("speed").value);
  if (playing) player.video.play().catch(() => undefined);
}

function seek(ms) {
  at = Math.min(Math.max(ms, 0), hearing.end_ms);
  for (const player of players) {
    choose(player, at);
    player.video.currentTime = at / 1000;
  }
  if ($("sound").value) seat.currentTime = at / 1000;
  draw();
}

function play(on) {
  playing = on;
  for (const player of players) {
    if (on) player.video.play().catch(() => undefined); else player.video.pause();
  }
  if (on && $("sound").value) seat.play().catch(() => undefined); else seat.pause();
  $("toggle").textContent = on ? "❚❚ 暂停" : "▶ 播放";
  $("toggle").setAttribute("aria-label", on ? "暂停 Pause" : "播放 Play");
}

function follow() {
  const speed = Number($("speed").value);
  const followers = players.slice(1).map((player) => player.video);
  if ($("sound").value) followers.push(seat);
  for (const media of followers) {
    const off = media.currentTime - master.video.currentTime;
    if (Math.abs(off) > 0.5) media.currentTime = master.video.currentTime;
    else media.playbackRate = speed * (Math.abs(off) > 0.02 ? 1 - off * 0.5 : 1);
  }
}

let exhibitShown = null;
function draw() {
  $("clock").textContent = `${sinceOpening(at)}　${wall(at)}`;
  $("line").setAttribute("aria-valuenow", String(Math.round(at / 1000)));
  $("line").setAttribute("aria-valuetext", sinceOpening(at));
  cursor.style.left = `${at / hearing.end_ms * 100}%`;
  const pause = within(hearing.pauses, at);
  $("veil").hidden = !pause;
  if (pause) $("veil").textContent = `依法中断：${pause.why}`;
  for (const player of players) {
    const gap = hearing.gaps.find((g) => g.track === player.camera.name && at >= g.from_ms && at < g.to_ms);
    player.name.textContent = gap ? `${player.camera.name}：缺失（${gap.why}）` : player.camera.name;
    player.name.classList.toggle("lost", Boolean(gap));
  }
  let now = -1;
  hearing.lines.forEach((line, i) => { if (at >= line.from_ms - 1) now = i; });
  rows.forEach((row, i) => {
    const here = i === now;
    if (here && !row.classList.contains("now") && playing) row.scrollIntoView({ block: "nearest" });
    row.classList.toggle("now", here);
  });
  const shown = within(hearing.shown, at) || null;
  if (shown !== exhibitShown) show(shown);
}

function show(shown) {
  exhibitShown = shown;
  $("exhibit").hidden = !shown;
  $("exhibit-page").replaceChildren();
  if (!shown) return;
  $("exhibit-title").textContent = `证据 ${shown.number}　${shown.title}　第 ${shown.page} 页`;
  const page = document.createElement(shown.type === "application/pdf" ? "iframe" : "img");
  page.src = shown.type === "application/pdf" ? `${shown.file}#page=${shown.page}&toolbar=0` : shown.file;
  page.title = page.alt = shown.title;
  page.addEventListener("load", () => { if (page.tagName === "IMG") frame(page, shown); });
  $("exhibit-page").append(page);
}

// What of the page the court saw: as in web/src/lib/pageFrame.ts.
function frame(image, shown) {
  const box = $("exhibit-page");
  const [across, along] = [box.clientWidth / image.naturalWidth, box.clientHeight / image.naturalHeight];
  const shape = image.naturalHeight / image.naturalWidth;
  const scale = (shape > 3 || shape < 1 / 6 ? Math.max(across, along) : Math.min(across, along)) * (shown.zoom || 1);
  const at = (size, room, middle) => size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, room / 2 - middle * size));
  const [wide, high] = [image.naturalWidth * scale, image.naturalHeight * scale];
  Object.assign(image.style, {
    width: `${wide}px`, height: `${high}px`,
    left: `${at(wide, box.clientWidth, shown.x ?? 0.5)}px`, top: `${at(high, box.clientHeight, shown.y ?? 0.5)}px`,
  });
}

function stretch(kind, from, to, title) {
  const span = document.createElement("span");
  span.className = kind;
  span.style.left = `${from / hearing.end_ms * 100}%`;
  if (to !== null) span.style.width = `${Math.max(to - from, 0) / hearing.end_ms * 100}%`;
  span.title = title;
  $("line").append(span);
  return span;
}
for (const p of hearing.pauses) stretch("pause", p.from_ms, p.to_ms, p.why);
for (const g of hearing.gaps) stretch("gap", g.from_ms, g.to_ms, `${g.track}：${g.why}`);
for (const s of hearing.shown) stretch("shown", s.from_ms, s.to_ms, s.title);
for (const m of hearing.marks) stretch("mark", m.at_ms, null, m.text);
const cursor = stretch("cursor", 0, null, "");
$("line").setAttribute("aria-valuemax", String(Math.round(hearing.end_ms / 1000)));

function row(list, ms, parts) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  const time = document.createElement("time");
  time.textContent = sinceOpening(ms);
  button.append(time, ...parts);
  button.addEventListener("click", () => seek(ms));
  item.append(button);
  list.append(item);
  return item;
}
const rows = hearing.lines.map((line) => {
  const role = document.createElement("b");
  role.textContent = `${line.role}：`;
  const older = line.versions.slice(0, -1).map((text, i) => {
    const small = document.createElement("small");
    small.textContent = `第 ${i + 1} 版：${text}`;
    return small;
  });
  return row($("words"), line.from_ms, [role, line.text, ...older]);
});
$("missing").hidden = hearing.gaps.length + hearing.pauses.length === 0;
const breaks = [
  ...hearing.gaps.map((g) => [g.from_ms, `${g.track} 缺 ${((g.to_ms - g.from_ms) / 1000).toFixed(1)} 秒：${g.why}`]),
  ...hearing.pauses.map((p) => [p.from_ms, `依法中断：${p.why}，至 ${sinceOpening(p.to_ms)}`]),
];
for (const [ms, text] of breaks.sort((a, b) => a[0] - b[0])) row($("gaps"), ms, [text]);
for (const check of hearing.checks) {
  const line = document.createElement("tr");
  for (const text of [check.path, check.bytes.toLocaleString()]) {
    const cell = document.createElement("td");
    cell.textContent = text;
    line.append(cell);
  }
  const cell = document.createElement("td");
  for (const text of [check.sha256, check.sm3]) {
    const code = document.createElement("code");
    code.textContent = text;
    cell.append(code);
  }
  line.append(cell);
  $("values").append(line);
}

$("toggle").addEventListener("click", () => play(!playing));
$("back").addEventListener("click", () => seek(at - 10000));
$("speed").addEventListener("change", () => { for (const p of players) p.video.playbackRate = Number($("speed").value); });
$("line").addEventListener("click", (event) => {
  const box = $("line").getBoundingClientRect();
  seek((event.clientX - box.left) / box.width * hearing.end_ms);
});
$("line").addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -5000, ArrowRight: 5000, Home: -Infinity, End: Infinity }[event.key];
  if (by !== undefined) { event.preventDefault(); seek(Math.min(Math.max(at + by, 0), hearing.end_ms)); }
});
const view = (checks) => {
  $("play").hidden = checks;
  $("checks").hidden = !checks;
  $("show-play").setAttribute("aria-pressed", String(!checks));
  $("show-checks").setAttribute("aria-pressed", String(checks));
};
$("show-play").addEventListener("click", () => view(false));
$("show-checks").addEventListener("click", () => { play(false); view(true); });

if (master) {
  master.video.addEventListener("ended", () => play(false));
  setInterval(() => {
    if (!playing || master.video.seeking) return;
    at = master.video.currentTime * 1000;
    const pause = $("skip").checked && within(hearing.pauses, at);
    if (pause && pause.to_ms < hearing.end_ms) seek(pause.to_ms);
    choose(master, at);
    follow();
    draw();
  }, 100);
  seek(Math.max(hearing.excerpt ? hearing.excerpt[0] : hearing.opened_ms, 0));
} else {
  $("pictures").textContent = "没有可以播放的录像。";
}
draw();
