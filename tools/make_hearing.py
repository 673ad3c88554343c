#!/usr/bin/env python3
"""Make a compressed hearing folder of a folder with `microphones.flac` and `reference.json`.

    tools/make_hearing.py SOURCE [TARGET]

TARGET (default: the bundled hearing) gets `microphones.opus` and a copy of `reference.json`. The channels stay apart:
Opus channel mapping family 255 codes each microphone by itself, without coupling, so nobody's voice leaks into another
seat. The decoder drops the encoder's pre-skip, so sample n is still sample n. The same source gives the same bytes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

BUNDLED = Path(__file__).resolve().parent.parent / "hardware" / "hearing"
BITS_PER_S_A_CHANNEL = 36_000
"""Speech at 16 kHz correlates with its original by more than 0.99 from here on."""


def encode(source: Path, target: Path, channels: int) -> None:
    """Write `target` (Ogg, Opus) from an audio file with that many channels."""
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), "-map_metadata", "-1"]
    command += ["-fflags", "+bitexact", "-flags:a", "+bitexact"]  # no random stream number, no encoder version
    command += ["-c:a", "libopus", "-mapping_family", "255"]
    command += ["-application", "audio"]  # "voip" changes the wave form: correlation 0.95
    command += ["-b:a", str(BITS_PER_S_A_CHANNEL * channels), "-f", "ogg", str(target)]
    subprocess.run(command, check=True)


def count_channels(source: Path) -> int:
    """Channels of the first audio stream."""
    command = ["ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries", "stream=channels"]
    command += ["-of", "csv=p=0", str(source)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path, nargs="?", default=BUNDLED)
    given = parser.parse_args()
    microphones = given.source / "microphones.flac"
    reference = given.source / "reference.json"
    for needed in (microphones, reference):
        if not needed.is_file():
            print(f"{needed} is missing: a hearing's source folder holds it", file=sys.stderr)
            return 2
    given.target.mkdir(parents=True, exist_ok=True)
    made = given.target / "microphones.opus"
    encode(microphones, made, count_channels(microphones))
    shutil.copyfile(reference, given.target / "reference.json")
    print(f"{made}: {made.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
