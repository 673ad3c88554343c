"""The built single-page applications, /panel, /inspect and others, from one Vite build, its assets for ever cached.

The build is looked for inside the wheel (`wutong/web`) and in a checkout (`web/dist`); without it every page says
what to run instead of failing.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from sync.errors import WutongError
from sync.http.rights.rules import public

_MISSING = (
    "<!doctype html><meta charset=utf-8><title>五同 Wutong</title>"
    "<p>页面尚未构建，请在项目目录运行 <code>make setup</code>。</p>"
    "<p>The pages are not built yet: run <code>make setup</code> in the project folder.</p>"
)


def web_root() -> Path | None:
    """The folder of the build, or None when there is none."""
    top = Path(__file__).resolve().parents[2]
    for folder in (top / "wutong" / "web", top / "web" / "dist"):
        if (folder / "assets").is_dir():
            return folder
    return None


def _below(folder: Path, path: str) -> Path | None:
    """The file of this name in a folder or below it, if there is one."""
    try:
        file = (folder / path).resolve()
        return file if file.is_relative_to(folder) and file.is_file() else None
    except (OSError, ValueError):
        return None  # a name that no file can have: too long, or with a NUL


def install(app: FastAPI, pages: Iterable[str], *, home: str) -> None:
    """Serve `pages` ("panel", "display", "inspect") with all their sub-paths, `/assets`, and `/` -> `home`."""

    def page(name: str) -> Response:
        root = web_root()
        file = None if root is None else root / f"{name}.html"
        if file is None or not file.is_file():
            return HTMLResponse(_MISSING, 503)
        return FileResponse(file, media_type="text/html", headers={"Cache-Control": "no-cache"})

    def add(name: str) -> None:
        @app.get(f"/{name}", include_in_schema=False)
        @public()
        async def top() -> Response:
            return page(name)

        @app.get(f"/{name}/{{rest:path}}", include_in_schema=False)
        @public()
        async def below(rest: str) -> Response:
            return page(name)

    for name in pages:
        add(name)

    @app.get("/", include_in_schema=False)
    @public()
    async def index() -> Response:
        return RedirectResponse(f"/{home}")

    @app.get("/assets/{path:path}", include_in_schema=False)
    @public()
    async def asset(path: str) -> Response:
        root = web_root()
        file = None if root is None else _below((root / "assets").resolve(), path)
        if file is None:
            raise WutongError("there is no such file in the build", code="not-found")
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if file.suffix == ".mjs":
            media_type = "text/javascript"
        return FileResponse(
            file, media_type=media_type, headers={"Cache-Control": "public, max-age=31536000, immutable"}
        )

    @app.get("/favicon.ico", include_in_schema=False)
    @public()
    async def favicon() -> Response:
        root = web_root()
        for name in ("favicon.ico", "favicon.svg"):
            if root is not None and (root / name).is_file():
                return FileResponse(root / name)
        return Response(status_code=204)
