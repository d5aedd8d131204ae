"""Where a case takes place: a lab, a service, the command under test, and unused numbers."""

from collections.abc import Iterator

from peer.endpoint import Endpoint, Ringing
from peer.lab import Lab
from peer.pki import Authority

from .command import Command


class Arena:
    def __init__(self, command: Command, lab: Lab, base: str, numbers: Iterator[str]):
        self.command, self.lab, self.base = command, lab, base
        self._numbers = numbers
        self.folder = lab.folder
        self.authority = Authority.load(lab.folder / "ca.pem", lab.folder / "ca.key")

    def number(self) -> str:
        """A number of the lab that no other case uses."""
        return next(self._numbers)

    def endpoint(self, *suites: str, number: str | None = None) -> Endpoint:
        """An endpoint of the peer, with published keys if suites are named."""
        endpoint = Endpoint(self.lab, number or self.number(), self.base)
        if suites:
            endpoint.publish(list(suites))
        return endpoint

    def published(self) -> str:
        """A number for which the command under test has published keys."""
        number = self.number()
        self.command.publish(self.folder, number, self.base)
        return number

    def ring(self, caller: str | None, to: str, **options):
        return self.command.ring(self.folder, self.base, caller, to, **options)

    def place(self, caller: str, to: str):
        return self.command.place(self.folder, self.base, caller, to)

    def start_place(self, caller: str, to: str, wait: int):
        return self.command.start_place(self.folder, self.base, caller, to, wait)


def ring_until_decided(endpoint: Endpoint, caller: str) -> Ringing:
    """Rings again while there is no record yet: the caller is another process."""
    for _ in range(8):
        ringing = endpoint.ring(caller)
        if ringing.result.verdict != "no_record":
            break
    return ringing
