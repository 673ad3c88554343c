"""Lay out the Debian packages and build them with dpkg-deb: called by tools/deb.sh, which brings what is installed.

Promises: what a package holds is what tools/deb_contents.py says, and for `wutong` and `wutong-model` the installed
Python packages and the model; every file belongs to root, nothing is executable that need not be; the same tree gives
the same `build`, by which an installed machine tells versions apart. Dates are SOURCE_DATE_EPOCH's.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from email.utils import formatdate
from pathlib import Path

from tools.deb_contents import MAINTAINER, ROOT, SUFFIXES, DebPackage, packages, project_version

UNPACKED = "usr/lib/wutong/unpacked"
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: wutong

Files: *
Copyright: 2026 the authors of Wutong
License: all-rights-reserved
 The sources carry no license of their own: all rights are their authors'.
 .
 The Python packages below /usr/lib/wutong are of their own authors, under the
 licenses that each has in its .dist-info folder.
"""


def build_id(version: str, folder: Path) -> str:
    """The version and a hash of every file below `folder`, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        if path.is_symlink():
            digest.update(os.fsencode(path.readlink()))
        elif path.is_file():
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{version}-{digest.hexdigest()[:12]}"


def lay_python(root: Path, unpacked: Path, wheel: Path, version: str) -> None:
    """The installed packages and Wutong's own wheel; no scripts, which would name the folder they were made in."""
    target = root / UNPACKED
    shutil.copytree(unpacked, target, symlinks=True, copy_function=os.link)
    for name in ("CACHEDIR.TAG", ".gitignore", ".lock"):
        (target / name).unlink(missing_ok=True)
    shutil.rmtree(target / "share", ignore_errors=True)
    for script in (target / "bin").iterdir():
        if not script.name.startswith("python"):
            script.unlink()
    [packages_folder] = (target / "lib").glob("python3*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages_folder)
    (target / "build").write_text(build_id(version, target) + "\n", encoding="ascii")


def control(package: DebPackage, version: str, size_kib: int) -> str:
    """What dpkg reads."""
    lines = {
        "Package": package.name,
        "Version": version,
        "Architecture": package.architecture,
        "Maintainer": MAINTAINER,
        "Installed-Size": str(size_kib),
        "Depends": ", ".join(package.depends),
        **package.relations,
        "Section": package.section,
        "Priority": "optional",
    }
    head = "".join(f"{key}: {value}\n" for key, value in lines.items() if value)
    return f"{head}Description: {package.summary}\n{textwrap.indent(package.text, ' ')}\n"


def _write(path: Path, data: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def _zipped(path: Path, data: bytes) -> None:
    _write(path, gzip.compress(data, 9, mtime=0))


def lay_out(package: DebPackage, root: Path, version: str) -> None:
    """The files of a package that come from the tree."""
    for placed in package.files:
        if placed.target.startswith("usr/share/man/"):
            _zipped(root / f"{placed.target}.gz", placed.content())
        else:
            _write(root / placed.target, placed.content(), placed.mode)
    docs = root / "usr/share/doc" / package.name
    _write(docs / "copyright", COPYRIGHT.encode())
    changes = f"{package.name} ({version}) unstable; urgency=medium\n\n  * See CHANGELOG.md of the sources.\n\n"
    stamp = formatdate(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    _zipped(docs / "changelog.gz", f"{changes} -- {MAINTAINER}  {stamp}\n".encode())
    if package.overrides:
        told = [f"# {reason}\n{package.name}: {tag}\n" for tag, reason in package.overrides.items()]
        _write(root / "usr/share/lintian/overrides" / package.name, "".join(told).encode())


def settle(root: Path) -> None:
    """Modes that do not depend on who builds: files 0644, or 0755 where they are to be run."""
    for path in root.rglob("*"):
        if path.is_symlink():
            continue
        if path.is_dir():
            path.chmod(0o755)
        elif UNPACKED in str(path):
            runs = path.stat().st_mode & 0o111 and path.suffix not in (".py", ".so") and ".so." not in path.name
            runs = runs and path.read_bytes()[:4].startswith((b"#!", b"\x7fELF"))
            path.chmod(0o755 if runs else 0o644)


def close(package: DebPackage, root: Path, version: str) -> None:
    """What dpkg wants to know of the package."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    sums = "".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files)  # noqa: S324 - dpkg's form
    size_kib = sum(-(-path.lstat().st_size // 1024) for path in root.rglob("*"))
    folder = root / "DEBIAN"
    _write(folder / "md5sums", sums.encode())
    _write(folder / "control", control(package, version, size_kib).encode())
    if package.conffiles:
        _write(folder / "conffiles", "".join(f"{name}\n" for name in package.conffiles).encode())
    for script in package.scripts:
        _write(folder / script, (ROOT / f"deploy/debian/{package.name}.{script}").read_bytes(), 0o755)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", choices=sorted(SUFFIXES), required=True)
    parser.add_argument("--version", default=project_version())
    parser.add_argument("--quick", action="store_true", help="without compression")
    for name in ("unpacked", "wheel", "model", "folder", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    chosen = parser.parse_args()
    version = f"{chosen.version}+{SUFFIXES[chosen.release]}"
    shutil.rmtree(chosen.folder, ignore_errors=True)
    for file in chosen.out.glob(f"wutong*_*+{SUFFIXES[chosen.release]}_*.deb"):
        file.unlink()  # of another version: a bundle takes what lies there
    [wheel] = chosen.wheel.glob("wutong-*.whl")
    # At the least level: what is large in there hardly gets smaller by more of it.
    compressed = ("-Znone",) if chosen.quick else ("-Zxz", "-z1")
    for package in packages(chosen.release, version):
        root = chosen.folder / package.name
        root.mkdir(parents=True)
        lay_out(package, root, version)
        if package.name == "wutong":
            lay_python(root, chosen.unpacked, wheel, version)
        elif package.name == "wutong-model":
            shutil.copytree(chosen.model, root / "usr/share/wutong/models", copy_function=os.link)
        settle(root)
        close(package, root, version)
        file = chosen.out / f"{package.name}_{version}_{package.architecture}.deb"
        command = ["dpkg-deb", "--root-owner-group", *compressed, "--build", str(root), str(file)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stderr, file=sys.stderr)
            return 1
        print(file.name, flush=True)
    shutil.rmtree(chosen.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
