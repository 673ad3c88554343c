"""A picture as its pages: opened by Pillow, turned as it was photographed, on white paper, in the colors of screens."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

import PIL
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

from edge.exhibits.formats import ANIMATED, Format
from edge.exhibits.refusal import damaged, not_taken, too_many_pixels
from edge.exhibits.sizes import drawn_size, shows_more

MAX_PIXELS = 64_000_000
MAX_JPEG_PIXELS = 220_000_000
"""Cameras of telephones make pictures of 108 and 200 million pixels; a JPEG is decoded at half or a quarter of them."""
_MOVING = ("GIF", "WEBP", "PNG", "AVIF")
_KEPT_AS_THEY_ARE = ("PNG", "JPEG", "MPO")
_ORIENTATION = 0x0112
_UNEVEN = 1.2
_BROKEN = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError)


class PhotoPages:
    """`ExhibitRefusedError` when it cannot be decoded, moves, or has too many pixels."""

    def __init__(self, path: Path, found: Format) -> None:
        self._path = path
        self._found = found
        if "HEIF" in found.pillow:
            import pi_heif

            pi_heif.register_heif_opener()
        Image.MAX_IMAGE_PIXELS = None  # the sizes are compared below
        warnings.simplefilter("ignore")  # Pillow warns of tags that it does not need
        try:
            with Image.open(path, formats=found.pillow) as image:
                # Behind the first picture of a JPEG or HEIC are a thumbnail, a map of depth, a moment of a live photo.
                frames = getattr(image, "n_frames", 1) if image.format in ("TIFF", *_MOVING) else 1
                if image.format in _MOVING and frames > 1:
                    raise not_taken(ANIMATED)
                self.count = frames
                self._check_size(image)
                self.converted = self._conversion(image)
        except _BROKEN as error:
            raise damaged(found) from error

    def draw(self, page: int, scale: int) -> tuple[Image.Image, bool]:
        """The page (from 1), and whether a greater scale would show more."""
        try:
            with Image.open(self._path, formats=self._found.pillow) as file:
                if page > 1:
                    file.seek(page - 1)
                self._check_size(file)
                natural = _natural_size(file)
                size = drawn_size(*natural, scale, natural=True)
                if file.format in ("JPEG", "MPO"):
                    file.draft("RGB", (max(size), max(size)))  # whichever way it is turned
                file.load()
                upright = ImageOps.exif_transpose(file)
                image = _on_paper(_in_screen_colors(upright))
        except MemoryError as error:
            raise too_many_pixels(self._found) from error
        except _BROKEN as error:
            raise damaged(self._found) from error
        if image.size != size:
            image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        return image, shows_more(*natural, scale, natural=True)

    def _check_size(self, image: Image.Image) -> None:
        most = MAX_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MAX_PIXELS
        if image.width * image.height > most:
            raise too_many_pixels(self._found)

    def _conversion(self, image: Image.Image) -> str:
        """What was done to show it, for the record; empty when it is shown as it is."""
        done = []
        if image.format not in _KEPT_AS_THEY_ARE:
            library = f"Pillow {PIL.__version__}"
            if image.format == "HEIF":
                import pi_heif

                library = f"libheif {pi_heif.libheif_version()}"
            elif image.format == "WEBP":
                library += f"、libwebp {features.version('webp')}"
            elif image.format == "TIFF":
                library += f"、libtiff {features.version('libtiff')}"
            done.append(f"{self._found.name}转换为 JPEG 展示（{library}）")
        if image.getexif().get(_ORIENTATION, 1) not in (0, 1):
            done.append("按拍摄方向（EXIF）转正")
        if image.mode.startswith(("I;16", "F")) or image.mode == "I":
            done.append("灰度由 16 位减为 8 位")
        return "，".join(done)


def _natural_size(image: Image.Image) -> tuple[int, int]:
    """In square pixels and upright: a fax has twice as many across as along."""
    width, height = image.width, image.height
    dpi = image.info.get("dpi")
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError, IndexError):
        if image.format == "TIFF" and dpi and min(dpi) > 0:
            across, along = float(dpi[0]), float(dpi[1])
            if _UNEVEN < across / along < 4:
                height = round(height * across / along)
            elif _UNEVEN < along / across < 4:
                width = round(width * along / across)
    turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    return (height, width) if turned else (width, height)


def _in_screen_colors(image: Image.Image) -> Image.Image:
    """Telephones photograph in wider colors than screens show, and scanners in their own."""
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("I", "F"):
        most = 65535.0 if max(map(_number, image.getextrema())) > 255 else 255.0
        return image.point(lambda value: value * (255.0 / most)).convert("L")
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        # A profile that cannot be read says nothing: then the numbers are shown as they are.
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            screen = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(image, source, screen, outputMode="RGB")
            return image if turned is None else turned
    return image


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _on_paper(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")
