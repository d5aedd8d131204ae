"""The folder that `lab init` writes, and what this endpoint keeps in it between runs."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import tomllib
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from . import blob, hpke
from .encoding import b64u, b64u_decode
from .errors import Refusal

MAX_KEYS_PER_SUITE = 2  # the current and the previous one


@dataclass(frozen=True)
class Credential:
    """A number's delegate certificate, its chain and its signing key."""

    chain: list[x509.Certificate]
    key: object = field(repr=False)
    x5u: str


class Lab:
    """Read access to a lab folder."""

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        self.tls_root = self.folder / "tls-root.pem"
        self.anchors = x509.load_pem_x509_certificates((self.folder / "root.pem").read_bytes())

    def base_url(self) -> str:
        """The service's base URL: the https URL that `lab.toml` holds."""
        configuration = tomllib.loads((self.folder / "lab.toml").read_text())
        found = list(_https_values(configuration))
        if not found:
            raise Refusal("configuration_invalid", "lab.toml holds no base URL")
        return found[0]

    def credential(self, number: str) -> Credential:
        chain = x509.load_pem_x509_certificates((self.folder / number / "chain.pem").read_bytes())
        key = load_pem_private_key((self.folder / number / "key.pem").read_bytes(), None)
        return Credential(chain, key, f"https://certificates.example/{number}.pem")

    def state(self, number: str) -> "State":
        return State(self.folder / number / "peer" / "state.json")


def _https_values(value):
    if isinstance(value, dict):
        for member in value.values():
            yield from _https_values(member)
    elif isinstance(value, list):
        for member in value:
            yield from _https_values(member)
    elif isinstance(value, str) and value.startswith("https://"):
        yield value


class State:
    """Encryption keys, own statements, used PASSporTs and statements seen; one JSON file."""

    def __init__(self, path: Path):
        self._path = path
        self.values = {
            "keys": [], "seq": 0, "inline": None, "digests": [], "cps": [], "used": {}, "seen": {},
        }  # fmt: skip
        if path.exists():
            self.values |= json.loads(path.read_text())

    def save(self) -> None:
        """Replaces the file in one step; only the owner can read it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.values, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)

    def private_keys(self, suite: str) -> list:
        """The newest keys of a suite, newest first."""
        kept = [entry for entry in self.values["keys"] if entry["suite"] == suite]
        return [
            hpke.private_from_octets(blob.SEALED[suite].kem, b64u_decode(entry["private"]))
            for entry in reversed(kept)
        ][:MAX_KEYS_PER_SUITE]

    def add_key(self, suite: str) -> bytes:
        """Generates a key and returns its public half."""
        private = hpke.generate(blob.SEALED[suite].kem)
        self.values["keys"].append({"suite": suite, "private": b64u(hpke.private_octets(private))})
        return hpke.public_octets(private)
