"""The device's key sealed by the machine's TPM: on the disk lies only what this TPM opens, and no plain key.

The TPM seals the 32 bytes of which the Ed25519 key is made (few TPMs sign with Ed25519 themselves) under its own
storage key; the signer has them opened when it starts, and keeps them in its memory alone. So a disk that is stolen or
copied holds no key. Debian's tpm2-tools speak to the TPM; secrets go through their pipes, never through arguments.
Refuses, with `ConfigError`, a machine without them, or a TPM that does not open what lies there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.signer.keys.file import KEY, forget_file, take_earlier
from sync.errors import ConfigError
from sync.ledger.keys import load_key
from sync.runtime.files.durable_files import replace_file

SEALED_PUBLIC = "device.tpm.pub"
SEALED_PRIVATE = "device.tpm.priv"
TOOLS = ("tpm2_createprimary", "tpm2_create", "tpm2_load", "tpm2_unseal", "tpm2_flushcontext")
TOOL_S = 30.0


def tpm_key(folder: Path, earlier: Path, tcti: str) -> Ed25519PrivateKey:
    """The key that the TPM opens. Where there is none yet, the file's is sealed and the file goes, or one is made.

    `tcti` names the TPM as tpm2-tools do, e.g. `device:/dev/tpmrm0`.
    """
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise ConfigError('[signer] key = "tpm" needs the TPM\'s programs: apt install tpm2-tools')
    plain = take_earlier(folder, earlier)
    with tempfile.TemporaryDirectory(prefix="wutong-tpm-") as name:
        tpm = _Tpm(tcti, Path(name))
        if not (folder / SEALED_PRIVATE).exists():
            key = plain or Ed25519PrivateKey.generate()
            public, private = tpm.seal(key.private_bytes_raw())
            # The private part last: it is what says that a key is sealed.
            replace_file(folder / SEALED_PUBLIC, public, private=True)
            replace_file(folder / SEALED_PRIVATE, private, private=True)
        seed = tpm.unseal(folder / SEALED_PUBLIC, folder / SEALED_PRIVATE)
    try:
        key = Ed25519PrivateKey.from_private_bytes(seed)
    except ValueError as error:
        raise ConfigError(f"what the TPM opened from {folder} is no key of a device") from error
    if plain is not None:
        if load_key(folder / KEY).public_key() != key.public_key():
            raise ConfigError(f"{folder} holds a sealed key and a different plain one; move one of them away")
        forget_file(folder)
    return key


class _Tpm:
    """The TPM by its tools. A TPM without a resource manager has three places for objects: each step empties them."""

    def __init__(self, tcti: str, work: Path) -> None:
        self._environment = {"PATH": os.environ.get("PATH", os.defpath), "TPM2TOOLS_TCTI": tcti, "TSS2_LOG": "all+none"}
        self._work = work
        self._primary = work / "primary"
        self._run("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", str(self._primary))

    def seal(self, secret: bytes) -> tuple[bytes, bytes]:
        """What only this TPM opens: its public and its private part."""
        public, private = self._work / "public", self._work / "private"
        what = ("-C", str(self._primary), "-u", str(public), "-r", str(private))
        self._run("tpm2_create", "-Q", *what, "-i", "-", said=secret)
        return public.read_bytes(), private.read_bytes()

    def unseal(self, public: Path, private: Path) -> bytes:
        """The secret again."""
        loaded = self._work / "sealed"
        what = ("-C", str(self._primary), "-u", str(public), "-r", str(private))
        self._run("tpm2_load", "-Q", *what, "-c", str(loaded))
        return self._run("tpm2_unseal", "-Q", "-c", str(loaded))

    def _run(self, tool: str, *arguments: str, said: bytes = b"") -> bytes:
        done = self._tool(tool, *arguments, said=said)
        if done.returncode != 0:
            why = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise ConfigError(
                f"the TPM refuses ({tool}: {why[-1][:200] if why else done.returncode}); is [signer] tcti of the"
                " profile right, and was the key sealed on this machine?"
            )
        self._tool("tpm2_flushcontext", "--transient-object")
        return done.stdout

    def _tool(self, tool: str, *arguments: str, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [tool, *arguments], input=said, capture_output=True, env=self._environment, timeout=TOOL_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"the TPM does not answer ({tool}: {error})") from error
