"""`python -m peer`: the same commands, flags and JSON as the project's own command."""

import argparse
import json
import sys

from .endpoint import Endpoint, Result
from .errors import Refusal
from .lab import Lab
from .numbers import canonical_number

GOOD = ("verified", "confirmed", "stored")


def _duration(text: str) -> float:
    for unit, factor in (("ms", 0.001), ("s", 1.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)


def _endpoint(options, number: str) -> Endpoint:
    return Endpoint(Lab(options.lab), canonical_number(number), options.base)


def _print(options, result: Result) -> int:
    report = result.report()
    if options.json:
        print(json.dumps(report), flush=True)
    else:
        print(" ".join([report["verdict"], *report["reasons"]]), flush=True)
    return 0 if report["verdict"] in GOOD else 3


def publish(options) -> int:
    _endpoint(options, options.number).publish(options.suites.split(","))
    return 0


def place(options) -> int:
    placement = _endpoint(options, options.caller).place(
        canonical_number(options.to), ask_answer=options.await_answer is not None
    )
    result = placement.store()
    if result.verdict == "stored" and options.await_answer is not None:
        result = placement.await_answer(options.await_answer)
    return _print(options, result)


def ring(options) -> int:
    caller = None if options.caller is None else canonical_number(options.caller)
    ringing = _endpoint(options, options.to).ring(caller, options.deadline)
    if options.answer and ringing.result.verdict == "verified":
        ringing.answer()
    status = _print(options, ringing.result)
    ringing.finish(options.deadline)
    return status


def lab_init(options) -> int:
    from . import pki

    pki.create_lab(options.folder, [canonical_number(n) for group in options.number for n in group])
    return 0


def cps_serve(options) -> int:
    from . import mock_service

    return mock_service.run(Lab(options.lab), options.listen, options.ttl)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="peer")
    commands = top.add_subparsers(required=True)

    def add(parent, name, action, lab=True):
        command = parent.add_parser(name)
        command.set_defaults(action=action)
        if lab:
            command.add_argument("--lab", required=True)
            command.add_argument("--base")
            command.add_argument("--json", action="store_true")
        return command

    command = add(commands, "publish", publish)
    command.add_argument("--number", required=True)
    command.add_argument("--suites", default="S1,S2")
    command = add(commands, "place", place)
    command.add_argument("--from", dest="caller", required=True)
    command.add_argument("--to", required=True)
    command.add_argument("--await-answer", type=float)
    # Taken for the sake of the command's: each request of a placing has the client's own limit.
    command.add_argument("--deadline", type=_duration)
    command = add(commands, "ring", ring)
    command.add_argument("--to", required=True)
    command.add_argument("--from", dest="caller")
    command.add_argument("--deadline", type=_duration, default=2.5)
    command.add_argument("--answer", action="store_true")
    lab = commands.add_parser("lab").add_subparsers(required=True)
    command = add(lab, "init", lab_init, lab=False)
    command.add_argument("folder")
    command.add_argument("--number", action="append", nargs="+", required=True)
    cps = commands.add_parser("cps").add_subparsers(required=True)
    command = add(cps, "serve", cps_serve)
    command.add_argument("--listen", default="127.0.0.1:8443")
    command.add_argument("--ttl", type=float, default=30.0)
    return top


def main() -> int:
    options = parser().parse_args()
    try:
        return options.action(options)
    except Refusal as refusal:
        print(f"peer: {refusal}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"peer: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
