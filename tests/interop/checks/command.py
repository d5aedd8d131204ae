"""The command under test, driven as a process. Its JSON contract is checked on every run."""

import json
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from peer.client import Client, free_port
from peer.errors import Refusal
from peer.urls import BaseUrl

from .harness import equal, expect

VERDICTS = {
    "verified", "confirmed", "conflicting", "no_record", "refused", "unavailable", "clock_unset",
    "stored", "unprotected",
}  # fmt: skip
GOOD = {"verified", "confirmed", "stored"}
START_LIMIT = 120.0
# For what comes, whatever else the machine does; nothing found is known after the last poll, in 3 s.
IN_TIME_MS = 30_000


@dataclass(frozen=True)
class Verdict:
    """What `place` or `ring` printed."""

    verdict: str
    reasons: list[str]
    report: dict

    def expect(self, verdicts: set[str], reasons: set[str] = frozenset()) -> "Verdict":
        """The verdict is one of `verdicts`, and one of `reasons`, if given, is reported."""
        shown = f"{self.verdict} {self.reasons}"
        expect(self.verdict in verdicts, f"expected {sorted(verdicts)}, found {shown}")
        if reasons:
            expect(reasons & set(self.reasons), f"expected one of {sorted(reasons)} in {shown}")
        return self


def _parse(arguments: list[str], code: int, out: str, err: str) -> Verdict:
    shown = f"`{' '.join(arguments[:1])}` exit {code}, {err.strip()[-400:]!r}"
    try:
        report = json.loads(out.strip().splitlines()[-1] if out.count("\n") > 1 else out)
    except (ValueError, IndexError):
        try:
            report = json.loads(out)
        except ValueError:
            raise AssertionError(f"no JSON from {shown}") from None
    for member, kind in (
        ("verdict", str), ("reasons", list), ("checks", list), ("blobs", dict),
        ("elapsed_ms", int),
    ):  # fmt: skip
        expect(isinstance(report.get(member), kind), f"{member!r} in the JSON of {shown}")
    expect("orig" in report and "dest" in report, f"orig and dest in the JSON of {shown}")
    for member in ("received", "opened"):
        expect(isinstance(report["blobs"].get(member), int), f"blobs.{member} of {shown}")
    for check in report["checks"]:
        expect({"check", "result"} <= set(check), f"checks in the JSON of {shown}")
    # An answer that was asked for and not sent changes no verdict; its reasons may stand apart, and
    # the command may say with status 1 that it could not do all it was asked to.
    answer = report.get("answer") or {}
    unanswered = answer.get("sent") is False
    verdict, reasons = report["verdict"], [*report["reasons"], *answer.get("reasons", [])]
    expect(verdict in VERDICTS, f"verdict {verdict!r} of {shown}")
    expect(all(re.fullmatch("[a-z0-9_]+", r) for r in reasons), f"reasons {reasons!r} of {shown}")
    if not (unanswered and code == 1):
        equal(code, 0 if verdict in GOOD else 3, f"exit status for {verdict}")
    return Verdict(verdict, reasons, report)


class Running:
    """A `place --await-answer` that is under way."""

    def __init__(self, arguments: list[str], process: subprocess.Popen):
        self._arguments, self._process = arguments, process

    def finish(self, limit: float = 60.0) -> Verdict:
        try:
            out, err = self._process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise AssertionError(f"place did not end within {limit} s") from None
        return _parse(self._arguments, self._process.returncode, out, err)

    def abandon(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class Command:
    """`ringtrue`, or anything with the same commands, flags and JSON."""

    def __init__(self, argv: list[str]):
        self.argv = argv

    def run(self, *arguments: str, limit: float = 300.0) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*self.argv, *arguments], capture_output=True, text=True, timeout=limit, check=False
        )

    def lab_init(self, folder: Path, numbers: list[str]) -> None:
        flags = [part for number in numbers for part in ("--number", number)]
        done = self.run("lab", "init", str(folder), *flags)
        equal(done.returncode, 0, f"exit status of lab init ({done.stderr.strip()[-400:]})")

    def publish(self, lab: Path, number: str, base: str) -> None:
        # The peer knows no hybrid suite.
        at = ["--lab", str(lab), "--base", base, "--number", number]
        done = self.run("publish", *at, "--suite", "S1")
        equal(done.returncode, 0, f"exit status of publish ({done.stderr.strip()[-400:]})")

    def start_place(self, lab: Path, base: str, caller: str, to: str, wait: int) -> Running:
        arguments = _place(lab, base, caller, to, wait)
        process = subprocess.Popen(
            [*self.argv, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        return Running(arguments, process)

    def place(self, lab: Path, base: str, caller: str, to: str) -> Verdict:
        arguments = _place(lab, base, caller, to, None)
        done = self.run(*arguments)
        return _parse(arguments, done.returncode, done.stdout, done.stderr)

    def ring(
        self, lab: Path, base: str, caller: str | None, to: str, answer=False, deadline_ms=IN_TIME_MS
    ) -> Verdict:
        arguments = ["ring", "--lab", str(lab), "--base", base, "--to", to, "--json"]
        arguments += ["--deadline", f"{deadline_ms}ms"]
        arguments += ["--from", caller] if caller else []
        arguments += ["--answer"] if answer else []
        done = self.run(*arguments)
        return _parse(arguments, done.returncode, done.stdout, done.stderr)

    def ring_until_decided(self, *arguments, **options) -> Verdict:
        """Rings again while there is no record yet: the caller is another process."""
        for _ in range(8):
            verdict = self.ring(*arguments, **options)
            if verdict.verdict != "no_record":
                break
        return verdict


def _place(lab: Path, base: str, caller: str, to: str, wait: int | None) -> list[str]:
    arguments = ["place", "--lab", str(lab), "--base", base, "--from", caller, "--to", to]
    arguments += ["--deadline", f"{IN_TIME_MS}ms"]
    return [*arguments, "--json", *(["--await-answer", str(wait)] if wait is not None else [])]


class Serving:
    """`cps serve` as a process on a free port, ready when `/health` says so."""

    def __init__(self, command: Command, lab: Path, ttl: int = 30):
        self._port = free_port()
        self.base = f"https://localhost:{self._port}"
        self._lab = lab
        self._log: list[str] = []
        self._process = subprocess.Popen(
            [
                *command.argv, "cps", "serve", "--lab", str(lab),
                "--listen", f"127.0.0.1:{self._port}", "--ttl", str(ttl),
            ],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._log.append(line)

    def log(self) -> str:
        return "".join(self._log)

    def __enter__(self) -> "Serving":
        client, base = Client(str(self._lab / "tls-root.pem"), True), BaseUrl.parse(self.base)
        pace = 0.05
        for _ in range(int(START_LIMIT / pace)):
            try:
                if client.request("health", base, "GET", "/health").status == 200:
                    return self
            except Refusal:
                pass
            try:
                self._process.wait(pace)
            except subprocess.TimeoutExpired:
                continue
            break
        self.kill()
        sys.stderr.write(self.log())
        raise AssertionError("the service did not become healthy")

    def terminate(self, limit: float = 120.0) -> int:
        """SIGTERM; returns the exit status."""
        self._process.terminate()
        try:
            return self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the service did not end within {limit} s of SIGTERM") from None

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def __exit__(self, *error) -> None:
        if self._process.poll() is None:
            try:
                self.terminate()
            except AssertionError:
                self.kill()
