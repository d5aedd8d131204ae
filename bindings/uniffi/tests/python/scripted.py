"""Takes the steps of a scenario file (tests/scenarios/files/README.md) with the Python binding."""

import asyncio
import base64
import hashlib
import tempfile
import threading
from pathlib import Path

import p256
import ringtrue

# What the Python interface can do of `needs`.
CAPABILITIES = {"threads", "background", "close", "public_key_callback"}

# Seconds that a verdict is waited for.
PATIENCE = 120


class Script:
    """What the surroundings of an endpoint share; steps change it."""

    def __init__(self, clock_unix_ms):
        self.lock = threading.Lock()
        self.clock_unix_ms = clock_unix_ms
        self.behaviours = {}
        self.rules = {}
        self.sent = []
        self._over = threading.Event()

    def apply(self, step):
        with self.lock:
            changes = dict(step.get("set", {}))
            if "clock_unix_ms" in changes:
                self.clock_unix_ms = changes.pop("clock_unix_ms")
            self.behaviours.update(changes)
            for rule in step.get("answers", []):
                self.rules[rule["method"], rule["url"]] = rule

    def take_sent(self):
        with self.lock:
            sent, self.sent = self.sent, []
            return sent

    def end(self):
        self._over.set()

    def never(self):
        self._over.wait()


class Transport(ringtrue.Transport):
    def __init__(self, script):
        self._script = script

    def execute(self, role, request, max_answer_octets, time_left_ms):
        method = request.method.name
        with self._script.lock:
            rule = self._script.rules.get((method, request.url))
            self._script.sent.append((method, request.url, request.body, rule is not None))
        fault = "unreachable" if rule is None else rule.get("fault")
        if fault is None:
            headers = [ringtrue.HttpHeader(name=n, value=v) for n, v in rule["headers"]]
            body = _body(rule)
            return ringtrue.HttpResponse(status=rule["status"], headers=headers, body=body)
        if fault == "throws":
            raise RuntimeError("what an application throws")
        if fault == "never":
            self._script.never()
            fault = "unreachable"
        # tls_failed is TlsFailed here.
        name = "".join(part.capitalize() for part in fault.split("_"))
        raise getattr(ringtrue.TransportError, name)()


def _body(rule):
    if "text" in rule:
        return rule["text"].encode()
    if "octets" in rule:
        return base64.urlsafe_b64decode(rule["octets"] + "==")
    return b"x" * rule.get("filler", 0)


class Clock(ringtrue.Clock):
    def __init__(self, script):
        self._script = script

    def now_unix_ms(self):
        return self._script.clock_unix_ms


class _Key:
    """What both keys have in common."""

    def __init__(self, script, name, key):
        self._script = script
        self._name = name
        self._scalar = p256.scalar_from_pem(key["private_pem"])
        other = key.get("other_private_pem")
        self._other = other and p256.scalar_from_pem(other)

    def behaviour(self):
        return self._script.behaviours.get(self._name, "works")

    def public_key(self):
        if self.behaviour() == "throws_public_key":
            raise ringtrue.HostError.Failed()
        public = p256.public_key(self._scalar)
        return public[:-1] if self.behaviour() == "short_public_key" else public


class Signer(_Key, ringtrue.Signer):
    def sign(self, message, digest):
        assert hashlib.sha256(message).digest() == digest
        behaviour = self.behaviour()
        if behaviour == "throws":
            raise RuntimeError("what an application throws")
        if behaviour == "never":
            self._script.never()
            raise ringtrue.HostError.Failed()
        scalar = self._other if behaviour == "wrong_key" else self._scalar
        raw = p256.raw(p256.sign(scalar, digest))
        if behaviour == "wrong_length":
            raw = raw[:-1]
        if behaviour == "wrong_signature":
            raw = raw[:-1] + bytes([raw[-1] ^ 1])
        return ringtrue.DeviceSignature.RAW(octets=raw)


class KeyAgreement(_Key, ringtrue.KeyAgreement):
    def agree(self, peer):
        behaviour = self.behaviour()
        if behaviour == "throws":
            raise RuntimeError("what an application throws")
        if behaviour == "never":
            self._script.never()
            raise ringtrue.HostError.Failed()
        shared = p256.agree(self._scalar, peer)
        if behaviour == "wrong_length":
            return shared[:-1]
        return b"\x42" * 32 if behaviour == "wrong_secret" else shared


def missing(file):
    """What a scenario needs that this runner cannot do."""
    return sorted(set(file["needs"]) - CAPABILITIES)



def _names(reasons):
    return [reason.name for reason in reasons]


def _shown(verdict):
    failed = [made for made in verdict.checks if made.result.is_failed()]
    return {
        "verdict": verdict.verdict.name.lower(),
        "reasons": _names(verdict.reasons),
        "failed_check": failed[0].check.name.lower() if failed else None,
        "received": verdict.blobs.received,
        "opened": verdict.blobs.opened,
    }


class Runner:
    """One scenario. `test` is the test case that compares."""

    def __init__(self, test, file):
        self._test = test
        self._file = file
        self._script = Script(file["clock_unix_ms"])
        self._folder = tempfile.TemporaryDirectory(prefix="ringtrue-")
        self._endpoint = None
        self._opened = []
        self._calls = {}
        self._has_rung = False

    async def run(self):
        self._test.assertEqual(self._file["format"], 1)
        try:
            for at, step in enumerate(self._file["steps"], 1):
                with self._test.subTest(step=at, do=step["do"]):
                    await self._play(step)
        finally:
            # What does not return is let go first, so that nothing calls Python when it ends.
            self._script.end()
            await asyncio.gather(*(endpoint.shut_down() for endpoint in self._opened))
            self._folder.cleanup()

    async def _play(self, step):
        self._script.apply(step)
        try:
            outcome = await self._take(step)
        except ringtrue.RingTrueError as error:
            reason = error.reason()
            self._compare_code(reason)
            outcome = {"error": reason.name}
        self._compare(step.get("expect", {}), outcome)
        self._has_rung |= step["do"] == "ring"
        self._compare_requests(step)

    async def _take(self, step):
        name = step.get("call", "call")
        deadline = {"deadline_ms": step["deadline_ms"]} if "deadline_ms" in step else {}
        action = step["do"]
        if action == "open":
            self._endpoint = await self._open()
            self._opened.append(self._endpoint)
            return {}
        if action == "close":
            await self._endpoint.shut_down()
            self._calls.clear()
            return {}
        if action in ("publish_keys", "rotate_keys"):
            published = await getattr(self._endpoint, action)(**deadline)
            return {"numbers": published.numbers, "rotated": published.rotated}
        if action == "prefetch_keys":
            return {"readers": await self._endpoint.prefetch_keys(step["number"], **deadline)}
        if action == "place":
            options = {n: step[n] for n in ("want_answer", "fresh_keys") if n in step}
            placed = await self._endpoint.place(step["from"], step["to"], **options, **deadline)
            return {
                "placement": placed.placement.name.lower(),
                "reasons": _names(placed.reasons),
                "copies": placed.copies,
            }
        if action == "ring":
            self._calls[name] = await self._endpoint.ring(step["from"], step.get("to"), **deadline)
            return _shown(self._calls[name].verdict())
        if action == "verdict":
            return _shown(self._calls[name].verdict())
        if action == "await_verdict":
            return await self._await_verdict(self._calls[name], step["expect"]["verdict"])
        if action == "answered":
            self._calls[name].answered()
            return {}
        if action == "ended":
            self._calls.pop(name).ended()
            return {}
        if action == "answer":
            phase = ringtrue.CallPhase[step["phase"].upper()]
            answered = await self._endpoint.answer(self._calls[name], phase, **deadline)
            return {
                "sent": answered.sent,
                "caller_gone": answered.caller_gone,
                "reasons": _names(answered.reasons),
            }
        raise ValueError("%s is no step" % action)

    async def _await_verdict(self, call, wanted):
        async def changes():
            while call.verdict().verdict.name.lower() != wanted:
                if await call.changed() is None:
                    return

        try:
            await asyncio.wait_for(changes(), PATIENCE)
        except asyncio.TimeoutError:
            pass
        return _shown(call.verdict())

    async def _open(self):
        config, keys = dict(self._file["config"]), self._file["keys"]
        policy = dict(config.pop("policy", {}))
        if "profile" in policy:
            policy["profile"] = ringtrue.Profile[policy["profile"].upper()]
        if "credential" in config:
            config["credential"] = ringtrue.Credential(**config["credential"])
        config["policy"] = ringtrue.Policy(**policy)
        config["state_file"] = str(Path(self._folder.name) / "state")
        parts = {"signer": Signer(self._script, "signer", keys["signer"])}
        if "key_agreement" in keys:
            key = KeyAgreement(self._script, "key_agreement", keys["key_agreement"])
            parts["key_agreement"] = key
        return await ringtrue.Endpoint.open(
            ringtrue.EndpointConfig(**config),
            transport=Transport(self._script),
            clock=Clock(self._script),
            **parts,
        )

    def _compare_code(self, reason):
        self._test.assertEqual(reason.code, self._file["codes"].get(reason.name))

    def _compare(self, expected, outcome):
        self._test.assertEqual(expected.get("error"), outcome.get("error"), outcome)
        for name, value in expected.items():
            found = outcome[name]
            if name == "reasons":
                value, found = set(value), set(found)
            self._test.assertEqual(value, found, "%s of %s" % (name, outcome))

    def _compare_requests(self, step):
        sent = self._script.take_sent()
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
