"""The scenario files that every language runs, through the C interface (tests/scenarios/files/README.md)."""

import base64
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path

from device import DONE, Device, Refused, packed
from lab import C, ROOT, SANITIZED, compiled

sys.path.insert(0, str(ROOT / "bindings" / "uniffi" / "tests" / "python"))
import p256  # noqa: E402  elliptic curves for tests, without any library

FILES = ROOT / "tests" / "scenarios" / "files"

# A session goes on after its first verdict, and time is a number: nothing blocks.
CAPABILITIES = {"threads", "background"}
# A client that was freed is no client: nothing can be called with it. The public keys are values.
LACKING = {"close", "public_key_callback"}

FAULTS = {
    "unreachable": 5002, "tls_failed": 5003, "answer_too_large": 5008, "redirected": 5009,
    "address_not_allowed": 5010, "deadline_passed": 5001, "throws": 5002, "never": None,
}
SIGNER_FAILED, KEY_AGREEMENT_FAILED = 5013, 5014
CHECKS = [
    None, "ppt", "orig", "credential", "authority", "freshness", "signature", "dest", "replay", "state",
]
PROFILES = {"stir": 1, "shaken": 2, "delegate": 3}
FOLLOW_CALL, WANT_ANSWER, FRESH_KEYS, ROTATE = 1, 1, 2, 1
STATES = {"alerting": 1, "answered": 2}
ANSWERED, ENDED = 2, 3

# Milliseconds of the device's clock that a verdict is waited for.
PATIENCE_MS = 120_000


class Script:
    """What the surroundings of a device do, as the file says."""

    DEADLINE_PASSED = FAULTS["deadline_passed"]

    def __init__(self, file):
        self._clock = file["clock_unix_ms"]
        self._keys = file["keys"]
        self._behaviours = {}
        self._rules = {}
        self.sent = []

    def apply(self, step):
        changes = dict(step.get("set", {}))
        if "clock_unix_ms" in changes:
            self._clock = changes.pop("clock_unix_ms")
        self._behaviours.update(changes)
        for rule in step.get("answers", []):
            self._rules[rule["method"], rule["url"]] = rule

    def unix_ms(self):
        return self._clock

    def send(self, method, url, body):
        rule = self._rules.get((method, url))
        self.sent.append((method, url, body, rule is not None))
        if rule is None:
            return FAULTS["unreachable"]
        if "fault" in rule:
            return FAULTS[rule["fault"]]
        if "text" in rule:
            octets = rule["text"].encode()
        elif "octets" in rule:
            octets = base64.urlsafe_b64decode(rule["octets"] + "==")
        else:
            octets = b"x" * rule.get("filler", 0)
        return rule["status"], rule["headers"], octets

    def _scalar(self, name, member="private_pem"):
        return p256.scalar_from_pem(self._keys[name][member])

    def sign(self, digest):
        behaviour = self._behaviours.get("signer", "works")
        if behaviour == "throws":
            return SIGNER_FAILED
        if behaviour == "never":
            return None
        member = "other_private_pem" if behaviour == "wrong_key" else "private_pem"
        raw = p256.raw(p256.sign(self._scalar("signer", member), digest))
        if behaviour == "wrong_length":
            return raw[:-1]
        if behaviour == "wrong_signature":
            return raw[:-1] + bytes([raw[-1] ^ 1])
        return raw

    def agree(self, peer):
        behaviour = self._behaviours.get("key_agreement", "works")
        if behaviour == "throws":
            return KEY_AGREEMENT_FAILED
        if behaviour == "never":
            return None
        shared = p256.agree(self._scalar("key_agreement"), peer)
        if behaviour == "wrong_length":
            return shared[:-1]
        return b"\x42" * 32 if behaviour == "wrong_secret" else shared


class Runner:
    """One scenario. `test` is the test case that compares."""

    def __init__(self, test, program, file):
        self._test = test
        self._file = file
        self._script = Script(file)
        self._device = Device(program, self._script)
        self._calls = {}
        self._has_rung = False

    def run(self):
        self._test.assertEqual(self._file["format"], 1)
        try:
            for at, step in enumerate(self._file["steps"], 1):
                with self._test.subTest(step=at, do=step["do"]):
                    self._play(step)
        finally:
            # Under AddressSanitizer this says as well that nothing was left behind.
            self._test.assertEqual(self._device.end(), 0)

    def _play(self, step):
        self._script.apply(step)
        try:
            outcome = self._take(step)
        except Refused as refused:
            self._test.assertEqual(refused.code, self._file["codes"].get(refused.name))
            outcome = {"error": refused.name}
        self._compare(step.get("expect", {}), outcome)
        self._has_rung |= step["do"] == "ring"
        self._compare_requests(step)

    def _take(self, step):
        device, name = self._device, step.get("call", "call")
        within = step.get("deadline_ms", 0)
        action = step["do"]
        if action == "open":
            self._forget()
            self._open()
            return {}
        if action == "close":
            self._forget()
            return {}
        if action in ("publish_keys", "rotate_keys"):
            flags = ROTATE if action == "rotate_keys" else 0
            ended = self._outcome(device.begin("publish", flags, within))
            self._refuse_unless_done(ended)
            # The interface counts the numbers; all of them are published, or it is an error.
            numbers = self._file["config"]["numbers"][: ended["count"]]
            numbers = [number.lstrip("+").replace(" ", "") for number in numbers]
            return {"numbers": numbers, "rotated": ended["rotated"]}
        if action == "prefetch_keys":
            ended = self._outcome(device.begin("prefetch", packed(step["number"]), within))
            self._refuse_unless_done(ended)
            return {"readers": ended["count"]}
        if action == "place":
            flags = WANT_ANSWER * step.get("want_answer", False)
            flags |= FRESH_KEYS * step.get("fresh_keys", False)
            numbers = (packed(step["from"]), packed(step["to"]))
            ended = self._outcome(device.begin("place", *numbers, flags, within))
            placement = "stored" if ended["done"] else "unprotected"
            return {"placement": placement, "reasons": ended["reasons"], "copies": ended["count"]}
        if action == "ring":
            numbers = (packed(step["from"] or ""), packed(step.get("to") or ""))
            call = device.begin("ring", *numbers, FOLLOW_CALL, within)
            self._calls[name] = call
            device.drive(call)
            return self._verdict(call)
        if action == "verdict":
            return self._verdict(self._calls[name])
        if action == "await_verdict":
            return self._await_verdict(self._calls[name], step["expect"]["verdict"])
        if action == "answered":
            device.call("event", self._calls[name], ANSWERED)
            return {}
        if action == "ended":
            call = self._calls.pop(name)
            device.call("event", call, ENDED)
            device.free(call)
            return {}
        if action == "answer":
            state = STATES[step["phase"]]
            ended = self._outcome(device.begin("answer", self._calls[name], state, within))
            return {
                "sent": bool(ended["done"]),
                "caller_gone": ended["caller_gone"],
                "reasons": ended["reasons"],
            }
        raise ValueError("%s is no step" % action)

    def _open(self):
        config, keys = self._file["config"], self._file["keys"]
        policy = config.get("policy", {})
        self._test.assertLessEqual(set(policy), {"profile", "store_jitter_ms"})
        credential = config.get("credential", {"chain_pem": "", "x5u": ""})
        agreement = keys.get("key_agreement", {"public": ""})
        lists = (",".join(packed(part) for part in config[name]) for name in ("numbers", "services"))
        self._device.call(
            "new", *lists,
            packed(config.get("directory", "")), packed(config.get("placement", "")),
            packed("".join(config["anchors_pem"])),
            packed(credential["chain_pem"]), packed(credential["x5u"]),
            agreement["public"] or "-", packed(b"\x07" * 32),
            PROFILES[policy.get("profile", "stir")], int(config["allow_direct"]),
            int(policy.get("store_jitter_ms") == 0),
        )

    def _forget(self):
        """The client goes; the records stay."""
        self._device.call("close")
        self._device.forget()
        self._calls.clear()

    def _outcome(self, session):
        self._test.assertEqual(self._device.drive(session), DONE)
        done, count, gone, rotated, _, *reasons = self._device.call("outcome", session)
        self._device.free(session)
        return {
            "done": done == "1", "count": int(count), "caller_gone": gone == "1",
            "rotated": rotated == "1", "reasons": self._names(reasons),
        }

    def _refuse_unless_done(self, ended):
        if not ended["done"]:
            name = ended["reasons"][0]
            raise Refused(self._file["codes"].get(name), name)

    def _names(self, words):
        """The names of reasons, each of which has the number that the file gives."""
        pairs = [word.split("=") for word in words]
        for name, number in pairs:
            code = self._file["codes"].get(name, int(number))
            self._test.assertEqual(code, int(number), name)
        return [name for name, _ in pairs]

    def _verdict(self, call):
        verdict, good, failed, received, opened, *reasons = self._device.call("verdict", call)
        self._test.assertEqual(good == "1", verdict in ("verified", "confirmed"))
        return {
            "verdict": verdict,
            "reasons": self._names(reasons),
            "failed_check": CHECKS[int(failed)],
            "received": int(received),
            "opened": int(opened),
        }

    def _await_verdict(self, call, wanted):
        """Drives the call on; others that ring learn of it when they are asked."""
        until = self._device.later(PATIENCE_MS)
        while self._verdict(call)["verdict"] != wanted:
            if self._device.drive(call, until) in (None, DONE):
                break
        return self._verdict(call)

    def _compare(self, expected, outcome):
        self._test.assertEqual(expected.get("error"), outcome.get("error"), outcome)
        for name, value in expected.items():
            found = outcome[name]
            if name == "reasons":
                value, found = set(value), set(found)
            self._test.assertEqual(value, found, "%s of %s" % (name, outcome))

    def _compare_requests(self, step):
        sent, self._script.sent = self._script.sent, []
        for method, url, _, expected in sent:
            self._test.assertTrue(expected, "no rule for %s %s" % (method, url))
        if "requests" not in step:
            return
        named = {(wanted["method"], wanted["url"]) for wanted in step["requests"]}
        for method, url, _, _ in sent:
            poll = self._has_rung and method == "GET" and url.endswith("/ppts")
            self._test.assertTrue((method, url) in named or poll, "%s %s as well" % (method, url))
        for wanted in step["requests"]:
            made = [body for m, u, body, _ in sent if (m, u) == (wanted["method"], wanted["url"])]
            if "count" in wanted:
                self._test.assertEqual(len(made), wanted["count"], wanted)
            if "at_least" in wanted:
                self._test.assertGreaterEqual(len(made), wanted["at_least"], wanted)
            for body in made:
                if "body_octets" in wanted:
                    self._test.assertEqual(len(body), wanted["body_octets"])
                if "blobs" in wanted:
                    self._test.assertEqual(len(body.splitlines()), wanted["blobs"])


class ScenarioFiles(unittest.TestCase):
    def test_every_file_runs_as_it_says(self):
        folder = tempfile.TemporaryDirectory(prefix="ringtrue-c-")
        self.addCleanup(folder.cleanup)
        program = compiled(
            Path(folder.name) / "console", C / "tests" / "console.c",
            flags=SANITIZED,
        )
        files = sorted(FILES.glob("*.json"))
        skipped = []
        for path in files:
            file = json.loads(path.read_text())
            with self.subTest(file=path.stem):
                self.assertEqual(file["name"], path.stem)
                needs = set(file["needs"])
                self.assertLessEqual(needs, CAPABILITIES | LACKING)
                if needs & LACKING:
                    skipped.append("%s (%s)" % (path.stem, ", ".join(sorted(needs & LACKING))))
                    continue
                Runner(self, program, file).run()
        print("not for C: " + "; ".join(skipped))
        there_are, = re.findall(r"^There are (\d+) files", (FILES / "README.md").read_text(), re.M)
        self.assertEqual(len(files), int(there_are))


if __name__ == "__main__":
    unittest.main()
