"""A tab that nobody looks at, as strictly as browsers treat one: no timer, no repaint, pictures stand still.

A headless Chromium hides none of its tabs, so a script before the page's own does what a browser does to a hidden one.
"""

from __future__ import annotations

from playwright.async_api import Page

SCRIPT = """(() => {
    const tab = { hidden: false, shiftMs: 0, log: [] };
    window.tab = tab;
    Object.defineProperty(document, 'visibilityState', { get: () => (tab.hidden ? 'hidden' : 'visible') });
    Object.defineProperty(document, 'hidden', { get: () => tab.hidden });
    const { setInterval: every, requestAnimationFrame: repaint } = window;
    window.setInterval = (call, ms, ...more) => every((...given) => { if (!tab.hidden) call(...given); }, ms, ...more);
    window.requestAnimationFrame = (call) =>
        repaint((now) => (tab.hidden ? window.requestAnimationFrame(call) : call(now)));
    const now = performance.now.bind(performance);
    performance.now = () => now() + tab.shiftMs;
    tab.hide = (hidden) => {
        tab.hidden = hidden;
        if (hidden) for (const video of document.querySelectorAll('video')) video.pause();
        document.dispatchEvent(new Event('visibilitychange'));
    };
    tab.bufferedEnd = () => {
        const { buffered } = document.querySelector('video');
        return buffered.length ? buffered.end(buffered.length - 1) : 0;
    };
    const append = SourceBuffer.prototype.appendBuffer;
    SourceBuffer.prototype.appendBuffer = function (bytes) {
        try {
            append.call(this, bytes);
        } catch (error) {
            tab.log.push(error.name);
            throw error;
        }
    };
})()"""


async def prepare(page: Page) -> None:
    """Before the page is opened."""
    await page.add_init_script(SCRIPT)


async def hide(page: Page) -> None:
    """Somebody looks at another tab."""
    await page.evaluate("tab.hide(true)")


async def show(page: Page) -> None:
    """Somebody looks at it again."""
    await page.evaluate("tab.hide(false)")


async def pass_time(page: Page, ms: int) -> None:
    """What the page takes for the time goes on."""
    await page.evaluate(f"tab.shiftMs += {ms}")


async def refused_appends(page: Page) -> list[str]:
    """The names of the errors of appends so far."""
    return list(await page.evaluate("tab.log"))
