from __future__ import annotations

import subprocess

import pytest


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds of two microphones, as FLAC in fragments of 160 ms."""
    path = tmp_path_factory.mktemp("voices") / "mics.mp4"
    command = (
        "ffmpeg -v error -y -f lavfi -i sine=frequency=300:sample_rate=16000:duration=4 -ac 2 -c:a flac -strict -2 "
        "-movflags empty_moov+default_base_moof -frag_duration 160000 -f mp4"
    )
    subprocess.run([*command.split(), str(path)], check=True, timeout=60)
    return path.read_bytes()
