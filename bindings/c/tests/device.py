"""A device in memory around the C interface: `console.c` calls the functions, this does what they ask for.

Time is a number here. Nothing waits: a WAIT moves the clock.
"""

import hashlib
import subprocess

# `RINGTRUE_ACTION_…`
HTTP, SIGN, AGREE, LOAD, STORE, CLAIM, WAIT, REPORT, DONE = range(1, 10)
NEVER = 2**64 - 1


def packed(value):
    """A text or octets as a word."""
    if isinstance(value, str):
        value = value.encode()
    return value.hex() if value else "-"


def unpacked(word):
    return b"" if word == "-" else bytes.fromhex(word)


class Refused(Exception):
    """A function of the interface returned this code."""

    def __init__(self, code, name):
        super().__init__("%s (%d)" % (name, code))
        self.code = code
        self.name = name


class Device:
    """`surroundings` has `unix_ms()`, `send(method, url, body)`, `sign(digest)` and `agree(peer)`. Each gives
    its result, or the number of a reason, or None if nothing ever comes."""

    def __init__(self, program, surroundings):
        self._console = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._surroundings = surroundings
        self._ms = 1000
        self._pending = {}
        self.records = {}
        self.marks = set()
        self.sessions = []

    def end(self):
        """Ends the program; gives its exit status."""
        self._console.stdin.close()
        self._console.stdout.close()
        return self._console.wait(timeout=60)

    def call(self, *words):
        """Calls a function; gives what it put out."""
        self._write("time", self._ms, self._surroundings.unix_ms() or 0)
        code, *rest = self._write(*words)
        if code != "0":
            _, name = self._write("name", code)
            raise Refused(int(code), name)
        return rest

    def _write(self, *words):
        self._console.stdin.write(" ".join(str(word) for word in words) + "\n")
        self._console.stdin.flush()
        return self._console.stdout.readline().split()

    def begin(self, *words):
        session = int(self.call(*words)[0])
        self.sessions.append(session)
        return session

    def free(self, session):
        self.sessions.remove(session)
        self._pending = {at: held for at, held in self._pending.items() if at[0] != session}
        self.call("free", session)

    def forget(self):
        """The client is gone, and its sessions with it."""
        self.sessions.clear()
        self._pending.clear()

    def step(self, session):
        """Asks once and does it. Gives REPORT or DONE, the time of a WAIT below 0, or None."""
        kind, action, until, *rest = self.call("next", session)
        kind, action, until = int(kind), int(action), int(until)
        if kind in (REPORT, DONE):
            return kind
        if kind == WAIT:
            return -until
        answer = self._perform(kind, rest)
        if answer is None:
            self._pending[session, action] = until if kind == HTTP else NEVER
            return None
        self._give(answer[0], session, action, *answer[1:])
        return None

    def _give(self, verb, session, action, *words):
        try:
            self.call(verb, session, action, *words)
        except Refused as refused:
            # The session was told as well.
            if refused.name != "answer_too_large":
                raise

    def drive(self, session, until=None):
        """Drives a session until it has news; `until`: no longer than to this time."""
        while True:
            news = self.step(session)
            if news is None:
                continue
            if news > 0:
                return news
            if self._pending and -news > min(self._pending.values()):
                self._give_up()
                continue
            if until is not None and -news > until:
                self._ms = until
                return None
            self._ms = max(self._ms, -news)

    def _give_up(self):
        """Moves to when the host gives the first of the silent requests up."""
        self._ms = max(self._ms, min(self._pending.values()))
        for at in [at for at, until in self._pending.items() if until <= self._ms]:
            del self._pending[at]
            self.call("failure", *at, self._surroundings.DEADLINE_PASSED)

    def later(self, ms):
        return self._ms + ms

    def _perform(self, kind, words):
        if kind == HTTP:
            method, url, body = (unpacked(word) for word in words[:3])
            found = self._surroundings.send(method.decode(), url.decode(), body)
            if isinstance(found, tuple):
                status, headers, body = found
                fields = [packed(part) for header in headers for part in header]
                return ("response", status, packed(body), *fields)
        elif kind == SIGN:
            message, digest = (unpacked(word) for word in words)
            assert hashlib.sha256(message).digest() == digest
            found = self._surroundings.sign(digest)
            if isinstance(found, bytes):
                return ("signature", packed(found))
        elif kind == AGREE:
            found = self._surroundings.agree(unpacked(words[0]))
            if isinstance(found, bytes):
                return ("agreement", packed(found))
        else:
            return self._keep(kind, *words)
        return found and ("failure", found)

    def _keep(self, kind, name, must_exist, expected, value):
        if kind == LOAD:
            return ("loaded", int(name in self.records), packed(self.records.get(name, b"")))
        if kind == CLAIM:
            first = name not in self.marks
            self.marks.add(name)
            return ("claimed", int(first))
        held = self.records.get(name)
        fits = held == (unpacked(expected) if must_exist == "1" else None)
        if fits:
            self.records[name] = unpacked(value)
        return ("stored", int(fits))
