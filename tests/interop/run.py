#!/usr/bin/env python3
"""Proves that an endpoint written from the specification alone interoperates. See README.md."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from checks import (  # noqa: E402  # noqa: E402
    answers,
    attacks,
    lies,
    matrix,
    probes,
    probes_directory,
    probes_mailbox,
    vectors,
)
from checks.arena import Arena  # noqa: E402
from checks.command import Command, Serving  # noqa: E402
from checks.harness import Harness  # noqa: E402
from peer.lab import Lab  # noqa: E402
from peer.mock_service import Server  # noqa: E402

NUMBERS = [f"1202555{block}1{n:02}" for block in range(4) for n in range(100)]
SECTIONS = ("vectors", "matrix", "attacks", "probes")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--ringtrue", type=Path, help="the command under test")
    target.add_argument("--self", action="store_true", help="test this peer against itself")
    parser.add_argument("--vectors", type=Path, default=HERE.parent / "vectors")
    parser.add_argument("--section", choices=SECTIONS, action="append")
    parser.add_argument("--only", metavar="TEXT", help="only cases whose name holds TEXT")
    parser.add_argument("--trace", action="store_true", help="a stack trace for each failure")
    return parser.parse_args()


def main() -> int:
    chosen = options()
    harness = Harness(chosen.only, chosen.trace)
    sections = chosen.section or SECTIONS
    if "vectors" in sections:
        vectors.run(harness, chosen.vectors)
    if set(sections) == {"vectors"}:
        return harness.finish()
    argv = [sys.executable, str(HERE / "peer_command.py")]
    if chosen.ringtrue:
        argv = [str(chosen.ringtrue.resolve())]
    command = Command(argv)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "lab"
        command.lab_init(folder, NUMBERS)
        lab = Lab(folder)
        serving = stack.enter_context(Serving(command, folder))
        second = stack.enter_context(Server(("127.0.0.1", 0), lab, 30.0))
        numbers = iter(NUMBERS)
        tested = Arena(command, lab, serving.base, numbers)
        mocked = Arena(command, lab, second.base, numbers)
        if "matrix" in sections:
            matrix.run(harness, "tested service", tested)
            matrix.run(harness, "second service", mocked)
        if "attacks" in sections:
            attacks.run(harness, tested)
            answers.run(harness, tested)
            lies.run(harness, mocked, second.service)
        if "probes" in sections:
            probes.run(harness, tested)
            probes_mailbox.run(harness, tested)
            probes_directory.run(harness, tested)
    return harness.finish()


if __name__ == "__main__":
    sys.exit(main())
