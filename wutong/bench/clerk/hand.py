"""A clerk's hand on the panel: real touches and keys in Chromium, each one counted.

Characters are entered as an input method does it: the pinyin letters compose in the field, then the selected characters
take their place (the browser's own composition events). What it counts is what it does: nothing happens in the page
that was not a touch or a key.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wutong.bench.clerk.plan import TextRun, letters_of

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

# Where a finger must come down to put the cursor before character `at`: in the words of a line, or in its field (of
# which a copy with the same form is laid out, because a field does not tell where its characters are).
_PLACE = """([line, at]) => {
  const row = document.querySelector(`[data-line="${CSS.escape(line)}"]`);
  const field = row.querySelector("textarea");
  let within = row.querySelector(".words .text"), copy = null;
  if (field) {
    copy = document.createElement("div");
    const style = getComputedStyle(field), box = field.getBoundingClientRect();
    for (const name of ["font", "letterSpacing", "lineHeight", "padding", "border", "boxSizing", "textIndent"])
      copy.style[name] = style[name];
    Object.assign(copy.style, {position: "fixed", left: box.left + "px", top: box.top - field.scrollTop + "px",
      width: box.width + "px", whiteSpace: "pre-wrap", overflowWrap: "break-word", visibility: "hidden"});
    copy.textContent = field.value;
    document.body.append(copy);
    within = copy;
  }
  const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
  let left = Math.max(at - 1, 0), node;
  while ((node = walker.nextNode()) && left >= [...node.data].length) left -= [...node.data].length;
  let place = null;
  if (node) {
    const offset = [...node.data].slice(0, left).join("").length;
    const range = document.createRange();
    range.setStart(node, offset);
    range.setEnd(node, offset + [...node.data][left].length);
    const box = range.getClientRects()[0];
    place = {x: at === 0 ? box.left + 1 : box.right - 2, y: (box.top + box.bottom) / 2};
  }
  copy?.remove();
  return place;
}"""
_CARET = """() => {
  const field = document.activeElement;
  return field instanceof HTMLTextAreaElement ? [...field.value.slice(0, field.selectionStart)].length : -1;
}"""
_PATIENCE_MS = 20_000
_AGAIN_MS = 3_000
_TRIES = 3


class Hand:
    """One hand at one page of the panel."""

    def __init__(self, page: Page, cdp: CDPSession) -> None:
        self._page, self._cdp = page, cdp
        self.touches = 0
        self.keys = 0

    async def correct(self, line: str, runs: list[TextRun]) -> None:
        """Touch each wrong place of a line, take away what is wrong and type what is right; save by Enter."""
        moved = 0
        for run in sorted(runs, key=lambda r: r.at):
            await self._cursor(line, run.at + moved + len(run.old))
            for _ in run.old:
                await self._press("Backspace")
            await self._enter(run.new)
            moved += len(run.new) - len(run.old)
        await self._press("Enter")

    async def strike(self, line: str) -> None:
        """Strike a whole line."""
        await self._open(line)
        await self._tool("strike")

    async def speaker(self, line: str, role: str) -> None:
        """Say who spoke: of a voice that is told apart, in all its lines at once, as the panel offers it."""
        await self._open(line)
        await self._tool("speaker")
        await self._touch_on(f'[role="dialog"] .roles button:text-is("{role}")')

    async def insert(self, after: str, role: str, text: str) -> None:
        """A line that nobody heard."""
        if after:
            await self._open(after)
        await self._tool("insert")
        await self._page.locator("textarea").wait_for(timeout=_PATIENCE_MS)
        await self._enter(text)
        await self._tool("speaker")
        await self._touch_on(f'[role="dialog"] .roles button:text-is("{role}")')
        await self._page.locator("textarea").focus()
        await self._press("Enter")

    async def accept(self, old: str, new: str) -> None:
        """Accept the first finding in the list of checks that makes these words those."""
        found = self._page.locator("li[data-check]").filter(has=self._page.locator("mark", has_text=old))
        button = found.locator(f"button.accept[title={json.dumps(new, ensure_ascii=False)}]")
        await button.first.click(timeout=_PATIENCE_MS)
        self.touches += 1

    async def show_checks(self) -> None:
        """Open the list of checks."""
        await self._touch_on("#tab-checks")

    async def _open(self, line: str) -> None:
        row = self._page.locator(f'[data-line="{line}"]')
        await row.scroll_into_view_if_needed(timeout=_PATIENCE_MS)
        if await row.locator("textarea").count() == 0:
            await self._touch_on(f'[data-line="{line}"] .words')
            await row.locator("textarea").wait_for(timeout=_PATIENCE_MS)

    async def _cursor(self, line: str, at: int) -> None:
        from playwright.async_api import TimeoutError as LateError  # of an extra: only who runs this bench has it

        row = self._page.locator(f'[data-line="{line}"]')
        await row.scroll_into_view_if_needed(timeout=_PATIENCE_MS)
        for _ in range(_TRIES):
            place = await self._page.evaluate(_PLACE, [line, at])
            await self._page.mouse.click(place["x"], place["y"])
            self.touches += 1  # each counts: a hand, too, touches again where the list moved under it
            try:
                await row.locator("textarea").wait_for(timeout=_AGAIN_MS)
                break
            except LateError:
                await row.scroll_into_view_if_needed(timeout=_PATIENCE_MS)
        else:  # the place cannot be touched: the line, and then by the keys to the place
            await self._open(line)
        await row.locator("textarea").wait_for(timeout=_PATIENCE_MS)
        await self._page.wait_for_function(
            "document.activeElement instanceof HTMLTextAreaElement", timeout=_PATIENCE_MS
        )
        off = at - int(await self._page.evaluate(_CARET))
        for _ in range(abs(off)):  # the finger came down beside it
            await self._press("ArrowRight" if off > 0 else "ArrowLeft")

    async def _enter(self, text: str) -> None:
        if not text:
            return
        letters = letters_of(text)
        composed = ""
        for letter in letters:
            composed += letter
            await self._cdp.send(
                "Input.imeSetComposition",
                {"text": composed, "selectionStart": len(composed), "selectionEnd": len(composed)},
            )
        await self._cdp.send("Input.insertText", {"text": text})
        self.keys += len(letters) + 1

    async def _press(self, key: str) -> None:
        await self._page.keyboard.press(key)
        self.keys += 1

    async def _tool(self, name: str) -> None:
        await self._touch_on(f'[data-tool="{name}"]')

    async def _touch_on(self, selector: str) -> None:
        await self._page.locator(selector).first.click(timeout=_PATIENCE_MS)
        self.touches += 1
