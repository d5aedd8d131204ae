"""Running cases and counting them."""

import sys
import time
import traceback
from collections.abc import Callable


class Harness:
    """Prints one line per case. A case fails by raising."""

    def __init__(self, only: str | None = None, trace: bool = False):
        self.passed = self.failed = 0
        self._only, self._trace = only, trace

    def case(self, name: str, action: Callable, *arguments, **options) -> None:
        if self._only and self._only not in name:
            return
        started = time.monotonic()
        try:
            action(*arguments, **options)
        except Exception as error:  # every failure of a case is a result, whatever its kind
            self.failed += 1
            detail = " ".join(str(error).split()) or type(error).__name__
            print(f"FAIL {name}: {detail}", flush=True)
            if self._trace:
                traceback.print_exc(file=sys.stdout)
        else:
            self.passed += 1
            print(f"ok   {name} ({time.monotonic() - started:.1f} s)", flush=True)

    def finish(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def expect(condition: object, message: str) -> None:
    """An assertion that survives `python -O`."""
    if not condition:
        raise AssertionError(message)


def equal(found: object, wanted: object, what: str) -> None:
    expect(found == wanted, f"{what}: expected {wanted!r}, found {found!r}")
