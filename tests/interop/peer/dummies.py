"""One number's mailbox: stored blobs and dummies that live like stored blobs (level D1, W-6)."""

import random
import secrets
from dataclasses import dataclass

from . import blob

MEAN_LIVE = 4  # per suite and key
MIN_LIVE = 2  # per suite
MAX_REAL = 200  # W-22
MAX_ANSWERED = 256
MAX_ANSWER_LEN = 3 * 512 * 1024  # encoded


@dataclass(frozen=True)
class Item:
    octets: bytes
    suite: str
    born: float
    real: bool


class Mailbox:
    """Births and deaths happen when somebody looks, in the order of their times."""

    def __init__(self, ttl: float):
        self._ttl = ttl
        self._items: dict[str, Item] = {}
        self._next_birth: dict[str, float] = {}

    def _gap(self, keys: int) -> float:
        return random.expovariate(MEAN_LIVE * max(keys, 1) / self._ttl)

    def _add(self, octets: bytes, suite: str, born: float, real: bool) -> str:
        identifier = secrets.token_urlsafe(16)
        self._items[identifier] = Item(octets, suite, born, real)
        return identifier

    def _dummy(self, suite: str, born: float) -> None:
        self._add(blob.filler(blob.KNOWN[suite]), suite, born, real=False)

    def _advance_suite(self, suite: str, keys: int, now: float) -> None:
        if suite not in self._next_birth or now - self._next_birth[suite] > 4 * self._ttl:
            start = now - self._ttl  # a schedule that has been running for ever
            self._next_birth[suite] = start + self._gap(keys)
        while self._next_birth[suite] <= now:
            born = self._next_birth[suite]
            if now - born < self._ttl:
                self._dummy(suite, born)
            self._next_birth[suite] = born + self._gap(keys)
        mine = sorted((i for i in self._items.values() if i.suite == suite), key=lambda i: i.born)
        live = [item for item in mine if now - item.born < self._ttl]
        for item in mine:  # the floor: a death that would leave fewer than two is a birth as well
            death = item.born + self._ttl
            later = [other for other in live if other.born < death]
            if death <= now < death + self._ttl and len(later) < MIN_LIVE:
                self._dummy(suite, death)
                live = [
                    i for i in self._items.values()
                    if i.suite == suite and now - i.born < self._ttl
                ]  # fmt: skip
        while len(live) < MIN_LIVE:  # nobody has looked for long
            born = now - random.uniform(0, self._ttl)
            self._dummy(suite, born)
            live.append(None)

    def advance(self, served: dict[str, int], now: float) -> None:
        """`served`: suite name to number of live keys."""
        for suite, keys in served.items():
            self._advance_suite(suite, keys, now)
        self._items = {
            name: item for name, item in self._items.items() if now - item.born < self._ttl
        }

    def store(self, octets: bytes, suite: str, keys: int, now: float) -> str:
        """A real blob is visible at once and takes the place of the next dummy of its suite."""
        real = [name for name, item in self._items.items() if item.real]
        if len(real) >= MAX_REAL:
            del self._items[random.choice(real)]
        if suite in self._next_birth:
            self._next_birth[suite] += self._gap(keys)
        return self._add(octets, suite, now, real=True)

    def shuffled(self) -> list[tuple[str, bytes]]:
        names = list(self._items)
        random.SystemRandom().shuffle(names)
        chosen, room = [], MAX_ANSWER_LEN
        for name in names[:MAX_ANSWERED]:
            octets = self._items[name].octets
            room -= (len(octets) * 4 + 2) // 3 + 1  # one line
            if room < 0:
                break
            chosen.append((name, octets))
        return chosen

    def get(self, identifier: str) -> bytes | None:
        item = self._items.get(identifier)
        return item.octets if item else None
