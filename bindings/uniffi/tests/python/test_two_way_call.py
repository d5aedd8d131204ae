"""The two-way call through the Python binding, against the real service.

Needs the generated module on the path, the shared library beside it, and the command in RINGTRUE_BIN
(target/debug/ringtrue if that is not set). Standard library only.
"""

import asyncio
import faulthandler
import http.client
import socket
import ssl
import threading
import time
import unittest
import urllib.parse

import keys
import p256
import ringtrue
from lab import Lab
from ringtrue import CallPhase, CheckName, Endpoint, Placement, RingTrueError, Verdict

LAB = None

# Seconds after which a run that hangs shows where, and ends. It takes 20.
PATIENCE = 300


def setUpModule():
    global LAB
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    LAB = Lab()


def tearDownModule():
    LAB.close()
    faulthandler.cancel_dump_traceback_later()


def names(reasons):
    return [reason.name for reason in reasons]


class Test(unittest.IsolatedAsyncioTestCase):
    """What the tests of this file have in common."""

    def setUp(self):
        self._opened = []

    async def asyncTearDown(self):
        # What still polls in the background may call keys that are written in Python, and Python must
        # not be called while it ends.
        await asyncio.gather(*(endpoint.shut_down() for endpoint in self._opened))

    async def open(self, config, **parts):
        endpoint = await Endpoint.open(config, **parts)
        self._opened.append(endpoint)
        return endpoint

    async def software(self, number, **members):
        """An endpoint with keys in memory and in its state file."""
        signer = ringtrue.software_signer(LAB.read(number, "key.pem"))
        return await self.open(LAB.config(number, **members), signer=signer)

    async def hardware(self, number, **members):
        """An endpoint whose keys are all implemented here, and those keys."""
        signer, agreement = keys.Signer(LAB.scalar(number)), keys.Agreement()
        config = LAB.config(number, **members)
        endpoint = await self.open(config, signer=signer, key_agreement=agreement)
        return endpoint, signer, agreement

    async def assert_fails(self, awaitable, kind, code, name):
        with self.assertRaises(RingTrueError) as caught:
            await awaitable
        error = caught.exception
        self.assertIsInstance(error, kind)
        self.assertEqual((error.code, error.name), (code, name))
        self.assertEqual((error.reason().code, error.reason().name), (code, name))

    def assert_verified(self, verdict, orig, dest, notices=()):
        self.assertLessEqual(set(names(verdict.reasons)), set(notices))
        self.assertIn(verdict.verdict, (Verdict.VERIFIED, Verdict.CONFIRMED))
        self.assertTrue(verdict.verdict.is_good())
        self.assertEqual((verdict.orig, verdict.dest), (orig, dest))
        self.assertEqual([made.check for made in verdict.checks], list(CheckName))
        for made in verdict.checks:
            self.assertFalse(made.result.is_failed(), made.check)
        self.assertGreaterEqual(verdict.blobs.received, verdict.blobs.opened)
        self.assertGreaterEqual(verdict.blobs.opened, 1)

    async def two_way_call(self, caller, callee, notices=()):
        """Places, rings, answers and learns who answered."""
        [orig], [dest] = caller.numbers(), callee.numbers()
        placed = await caller.place("+" + orig, "+" + dest, want_answer=True)
        self.assertEqual((placed.placement, names(placed.reasons)), (Placement.STORED, []))
        self.assertEqual((placed.orig, placed.dest), (orig, dest))
        self.assertEqual(placed.copies, 1)
        call = await callee.ring(orig, dest)
        self.assert_verified(call.verdict(), orig, dest, notices)
        answered = await callee.answer(call, CallPhase.ANSWERED)
        self.assertEqual((names(answered.reasons), answered.sent), ([], True))
        self.assertFalse(answered.caller_gone)
        outcome = await caller.await_answer(placed.answer, deadline_ms=10_000)
        self.assert_verified(outcome.verdict, orig, dest)
        self.assertEqual(outcome.state.phase, CallPhase.ANSWERED)
        self.assertAlmostEqual(outcome.state.since_unix_ms / 1000, time.time(), delta=60)
        return placed, call


class TwoWayCall(Test):
    async def test_both_sides_are_verified_in_both_directions(self):
        one, other = LAB.number(), LAB.number()
        phone, signer, agreement = await self.hardware(one)
        desk = await self.software(other)
        for endpoint, number in ((phone, one), (desk, other)):
            published = await endpoint.publish_keys()
            self.assertEqual(published.numbers, [number])
            self.assertTrue(published.rotated)
            self.assertGreater(published.exp_unix_s, time.time() + 3600)
        await self.two_way_call(phone, desk)
        # The answer of the first call is still in the mailbox, and may be met first.
        await self.two_way_call(desk, phone, notices=["unexpected_rsp"])
        # Foreign keys did the work, and not on the thread that waits.
        own = threading.get_ident()
        self.assertGreaterEqual(len(agreement.threads), 2)
        self.assertNotIn(own, agreement.threads)
        self.assertNotIn(own, signer.threads)

    async def test_a_signer_may_write_signatures_raw(self):
        one, other = LAB.number(), LAB.number()
        signer = keys.Signer(LAB.scalar(one), form="raw")
        caller = await self.open(LAB.config(one), signer=signer)
        callee = await self.software(other, policy=ringtrue.Policy(
            profile=ringtrue.Profile.DELEGATE, suites=[ringtrue.Suite.S2]))
        await asyncio.gather(caller.publish_keys(), callee.publish_keys())
        await self.two_way_call(caller, callee)

    async def test_numbers_are_read_as_the_application_says(self):
        one, other = LAB.number(), LAB.number()
        context = ringtrue.NumberContext(
            country_code="1", trunk_prefix="1", international_prefix="011", bare_national_lengths=[10]
        )
        caller = await self.software(one, number_context=context)
        callee = await self.software(other)
        await callee.publish_keys()
        self.assertEqual(caller.read_number("(202) 555-0" + other[-3:]), other)
        self.assertEqual(await caller.prefetch_keys(other[1:]), 1)
        placed = await caller.place(one[1:], "tel:+" + other)
        self.assertEqual(placed.placement, Placement.STORED)
        call = await callee.ring(one)
        self.assert_verified(call.verdict(), one, other)

    async def test_rotated_keys_are_used(self):
        one, other = LAB.number(), LAB.number()
        caller, callee = await self.software(one), await self.software(other)
        self.assertTrue((await callee.publish_keys()).rotated)
        self.assertFalse((await callee.publish_keys()).rotated)
        self.assertTrue((await callee.rotate_keys()).rotated)
        self.assertEqual((await caller.place(one, other)).placement, Placement.STORED)
        call = await callee.ring(one, other)
        self.assert_verified(call.verdict(), one, other)

    async def test_a_call_that_was_not_announced_becomes_verified_later(self):
        one, other = LAB.number(), LAB.number()
        caller, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        call = await callee.ring(one, other, deadline_ms=300)
        self.assertEqual(call.verdict().verdict, Verdict.NO_RECORD)
        await caller.place(one, other)
        verdicts = []
        while (changed := await asyncio.wait_for(call.changed(), 30)) is not None:
            verdicts.append(changed)
        self.assert_verified(verdicts[-1], one, other, notices=["deadline_passed"])
        self.assertEqual(call.verdict(), verdicts[-1])


class Attacks(Test):
    async def test_an_impostor_without_announcement_is_not_verified(self):
        one, other = LAB.number(), LAB.number()
        callee = await self.software(other)
        await callee.publish_keys()
        call = await callee.ring(one, other)
        self.assertEqual(call.verdict().verdict, Verdict.NO_RECORD)
        self.assertFalse(call.verdict().verdict.is_good())
        await self.assert_fails(
            callee.answer(call, CallPhase.ANSWERED), RingTrueError.Misuse, 6003, "not_verified"
        )

    async def test_a_credential_of_another_number_announces_nothing(self):
        victim, other, own = LAB.number(), LAB.number(), LAB.number()
        impostor = await self.open(
            LAB.config(victim, credential_of=own),
            signer=ringtrue.software_signer(LAB.read(own, "key.pem")),
        )
        callee = await self.software(other)
        await callee.publish_keys()
        placed = await impostor.place(victim, other)
        self.assertEqual(placed.placement, Placement.UNPROTECTED)
        self.assertIn("number_not_covered", names(placed.reasons))
        call = await callee.ring(victim, other)
        self.assertEqual(call.verdict().verdict, Verdict.NO_RECORD)

    async def test_an_announcement_is_good_for_one_call(self):
        one, other = LAB.number(), LAB.number()
        caller, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        await caller.place(one, other)
        self.assertTrue((await callee.ring(one, other)).verdict().verdict.is_good())
        verdict = (await callee.ring(one, other)).verdict()
        self.assertEqual(verdict.verdict, Verdict.REFUSED)
        self.assertIn((3003, "replayed"), [(r.code, r.name) for r in verdict.reasons])
        [failed] = [made for made in verdict.checks if made.result.is_failed()]
        self.assertEqual(failed.check, CheckName.REPLAY)
        self.assertEqual(failed.result.reason.kind, ringtrue.ReasonKind.MISMATCH)

    async def test_an_answer_that_was_not_asked_for_is_not_sent(self):
        one, other = LAB.number(), LAB.number()
        caller, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        self.assertIsNone((await caller.place(one, other)).answer)
        call = await callee.ring(one, other)
        await self.assert_fails(
            callee.answer(call, CallPhase.ANSWERED), RingTrueError.Misuse, 6004, "rsp_not_requested"
        )


class Errors(Test):
    async def test_a_configuration_is_checked(self):
        number = LAB.number()

        def opened(signer=None, **members):
            signer = signer or ringtrue.software_signer(LAB.read(number, "key.pem"))
            return self.open(LAB.config(number, **members), signer=signer)

        misuse, malformed = RingTrueError.Misuse, RingTrueError.Malformed
        await self.assert_fails(opened(numbers=[]), misuse, 6002, "configuration_invalid")
        await self.assert_fails(opened(anchors_pem=[]), misuse, 6002, "configuration_invalid")
        await self.assert_fails(opened(credential=None), misuse, 6002, "configuration_invalid")
        await self.assert_fails(opened(numbers=["bob"]), malformed, 1001, "malformed_number")
        await self.assert_fails(opened(anchors_pem=["x"]), malformed, 1023, "malformed_pem")
        await self.assert_fails(
            opened(services=["http://cps.example"]), malformed, 1017, "malformed_url"
        )
        await self.assert_fails(
            opened(anchors_pem=[LAB.read("tls-root.pem")]),
            RingTrueError.Untrusted,
            2001,
            "no_path_to_anchor",
        )
        await self.assert_fails(
            opened(state_file=str(LAB.path)),
            RingTrueError.Unavailable,
            5015,
            "state_unavailable",
        )
        await self.assert_fails(
            opened(keys.Signer(p256.generate())), RingTrueError.Untrusted, 2022, "key_mismatch"
        )
        with self.assertRaises(RingTrueError.Malformed) as caught:
            ringtrue.software_signer("no key")
        self.assertEqual(caught.exception.name, "malformed_pem")

    async def test_numbers_are_checked(self):
        one, other = LAB.number(), LAB.number()
        endpoint = await self.software(one)
        malformed, misuse = RingTrueError.Malformed, RingTrueError.Misuse
        await self.assert_fails(endpoint.place(one, ""), malformed, 1001, "malformed_number")
        await self.assert_fails(endpoint.place(other, one), misuse, 6001, "number_not_owned")
        await self.assert_fails(endpoint.ring(one, other), misuse, 6001, "number_not_owned")
        with self.assertRaises(RingTrueError.Malformed):
            endpoint.read_number("not a number")

    async def test_without_a_credential_nothing_is_published_or_announced(self):
        one, other = LAB.number(), LAB.number()
        endpoint = await self.open(LAB.config(one, credential=None))
        callee = await self.software(other)
        await callee.publish_keys()
        await self.assert_fails(
            endpoint.publish_keys(), RingTrueError.Untrusted, 2012, "credential_unavailable"
        )
        placed = await endpoint.place(one, other)
        self.assertEqual(placed.placement, Placement.UNPROTECTED)
        self.assertIn("credential_unavailable", names(placed.reasons))

    async def test_a_number_without_keys_is_named(self):
        one, other = LAB.number(), LAB.number()
        endpoint = await self.software(one)
        await self.assert_fails(
            endpoint.prefetch_keys(other), RingTrueError.Unavailable, 5011, "no_usable_key"
        )
        placed = await endpoint.place(one, other)
        self.assertEqual(placed.placement, Placement.UNPROTECTED)
        self.assertEqual(names(placed.reasons), ["no_usable_key"])

    async def test_text_of_records_and_errors_holds_no_number(self):
        one, other = LAB.number(), LAB.number()
        caller, callee = await self.software(one), await self.software(other)
        published = await callee.publish_keys()
        placed = await caller.place(one, other)
        call = await callee.ring(one, other)
        with self.assertRaises(RingTrueError) as caught:
            await caller.place(other, one)
        for value in (
            LAB.config(one),
            published,
            placed,
            call,
            call.verdict(),
            caller,
            caught.exception,
        ):
            for text in (str(value), repr(value)):
                self.assertNotIn(one, text)
                self.assertNotIn(other, text)
        self.assertEqual(str(placed), "Placed(stored)")


class ForeignKeys(Test):
    async def test_a_signer_that_raises_is_named_and_the_next_call_works(self):
        for error in (ringtrue.HostError.Failed, lambda: RuntimeError("locked")):
            number = LAB.number()
            signer = keys.Failing(LAB.scalar(number), error)
            endpoint = await self.open(LAB.config(number), signer=signer)
            await self.assert_fails(
                endpoint.publish_keys(), RingTrueError.Unavailable, 5013, "signer_failed"
            )
            signer._where = ()
            self.assertEqual((await endpoint.publish_keys()).numbers, [number])

    async def test_a_call_is_dialled_unprotected_when_the_signer_raises(self):
        one, other = LAB.number(), LAB.number()
        signer = keys.Failing(LAB.scalar(one), ringtrue.HostError.Failed)
        caller = await self.open(LAB.config(one), signer=signer)
        callee = await self.software(other)
        await callee.publish_keys()
        placed = await caller.place(one, other)
        self.assertEqual(placed.placement, Placement.UNPROTECTED)
        self.assertIn("signer_failed", names(placed.reasons))

    async def test_a_key_that_does_not_say_who_it_is_is_named(self):
        number = LAB.number()
        for error in (ringtrue.HostError.Failed, KeyError):
            signer = keys.Failing(LAB.scalar(number), error, where=("public_key",))
            await self.assert_fails(
                self.open(LAB.config(number), signer=signer),
                RingTrueError.Unavailable,
                5013,
                "signer_failed",
            )

    async def test_signatures_that_do_not_verify_are_not_used(self):
        one, other = LAB.number(), LAB.number()
        callee = await self.software(other)
        await callee.publish_keys()
        for signer, kind, code, name in (
            (keys.TwiceHashing, RingTrueError.Unavailable, 5013, "signer_failed"),
            (keys.Garbling, RingTrueError.Malformed, 1009, "malformed_signature"),
        ):
            signer = signer(LAB.scalar(one))
            endpoint = await self.open(LAB.config(one), signer=signer)
            await self.assert_fails(endpoint.publish_keys(), kind, code, name)
            placed = await endpoint.place(one, other)
            self.assertEqual(placed.placement, Placement.UNPROTECTED)
            self.assertIn(name, names(placed.reasons))

    async def test_a_key_agreement_that_raises_opens_nothing(self):
        one, other = LAB.number(), LAB.number()
        caller = await self.software(one)
        callee = await self.open(
            LAB.config(other),
            signer=keys.Signer(LAB.scalar(other)),
            key_agreement=keys.LockedAgreement(),
        )
        await callee.publish_keys()
        self.assertEqual((await caller.place(one, other)).placement, Placement.STORED)
        verdict = (await callee.ring(one, other)).verdict()
        self.assertFalse(verdict.verdict.is_good())
        self.assertEqual(verdict.blobs.opened, 0)
        self.assertIn("key_agreement_failed", names(verdict.reasons))


class OwnClock(ringtrue.Clock):
    def __init__(self, says):
        self._says = says

    def now_unix_ms(self):
        return self._says()


class OwnTransport(ringtrue.Transport):
    """HTTP by the standard library."""

    def __init__(self):
        self._tls = ssl.create_default_context(cafile=str(LAB.path / "tls-root.pem"))
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.roles = []

    def execute(self, role, request, max_answer_octets, time_left_ms):
        self.roles.append(role)
        url = urllib.parse.urlsplit(request.url)
        connection = http.client.HTTPSConnection(
            url.hostname, url.port, timeout=time_left_ms / 1000, context=self._tls
        )
        try:
            headers = {header.name: header.value for header in request.headers}
            target = url.path + ("?" + url.query if url.query else "")
            connection.request(request.method.name, target, request.body or None, headers)
            answer = connection.getresponse()
            body = answer.read(max_answer_octets + 1)
            if len(body) > max_answer_octets:
                raise ringtrue.TransportError.AnswerTooLarge()
            headers = [ringtrue.HttpHeader(name=n, value=v) for n, v in answer.getheaders()]
            return ringtrue.HttpResponse(status=answer.status, headers=headers, body=body)
        finally:
            connection.close()


class BrokenTransport(ringtrue.Transport):
    def __init__(self, error):
        self._error = error

    def execute(self, role, request, max_answer_octets, time_left_ms):
        raise self._error()


class Surroundings(Test):
    async def test_the_application_s_own_transport_carries_a_two_way_call(self):
        one, other = LAB.number(), LAB.number()
        transport = OwnTransport()
        caller = await self.open(
            LAB.config(one), signer=keys.Signer(LAB.scalar(one)), transport=transport
        )
        callee = await self.software(other)
        await asyncio.gather(caller.publish_keys(), callee.publish_keys())
        await self.two_way_call(caller, callee)
        self.assertEqual(set(transport.roles), set(ringtrue.Role))

    async def test_a_transport_that_raises_is_named(self):
        number = LAB.number()
        for error, code, name in (
            (lambda: OSError("no network"), 5002, "service_unreachable"),
            (ringtrue.TransportError.TlsFailed, 5003, "tls_failed"),
            (ringtrue.TransportError.Redirected, 5009, "redirected"),
        ):
            endpoint = await self.open(
                LAB.config(number),
                signer=keys.Signer(LAB.scalar(number)),
                transport=BrokenTransport(error),
            )
            await self.assert_fails(
                endpoint.publish_keys(), RingTrueError.Unavailable, code, name
            )

    async def test_without_a_clock_nothing_is_verified(self):
        one, other = LAB.number(), LAB.number()
        caller = await self.software(one)
        await (await self.software(other)).publish_keys()

        def broken():
            raise RuntimeError("no clock")

        for says in (lambda: None, lambda: 0, broken):
            endpoint = await self.open(
                LAB.config(other), signer=keys.Signer(LAB.scalar(other)), clock=OwnClock(says)
            )
            await caller.place(one, other)
            call = await endpoint.ring(one, other)
            self.assertEqual(call.verdict().verdict, Verdict.CLOCK_UNSET)
            await self.assert_fails(
                endpoint.publish_keys(), RingTrueError.Unavailable, 8007, "clock_unset"
            )


class Silence:
    """A server that takes connections and says nothing."""

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = "https://127.0.0.1:%d" % self._socket.getsockname()[1]
        self.connected, self.closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connected.set()
            with connection:
                while connection.recv(4096):
                    pass
            self.closed.set()

    def __exit__(self, *_):
        # Closing alone would not wake the thread that accepts, and so leave the port open.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(60)


class Time(Test):
    async def test_a_deadline_holds_whatever_the_service_does(self):
        one, other = LAB.number(), LAB.number()
        with Silence() as silence:
            endpoint = await self.software(one, services=[silence.base_url])
            begun = time.monotonic()
            placed = await endpoint.place(one, other, deadline_ms=300)
            self.assertEqual(placed.placement, Placement.UNPROTECTED)
            self.assertEqual(names(placed.reasons)[0], "deadline_passed")
            call = await endpoint.ring(other, one, deadline_ms=300)
            self.assertEqual(call.verdict().verdict, Verdict.UNAVAILABLE)
            await self.assert_fails(
                endpoint.publish_keys(deadline_ms=300),
                RingTrueError.Unavailable,
                5001,
                "deadline_passed",
            )
            self.assertLess(time.monotonic() - begun, 10)

    async def test_cancelling_stops_the_work_and_the_next_call_works(self):
        one, other = LAB.number(), LAB.number()
        callee = await self.software(other)
        await callee.publish_keys()
        with Silence() as silence:
            endpoint = await self.software(
                one, directory=silence.base_url, placement=LAB.base_url
            )
            task = asyncio.create_task(endpoint.place(one, other, deadline_ms=600_000))
            await asyncio.to_thread(silence.connected.wait, 60)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            # The connection is gone, so the work is.
            self.assertTrue(await asyncio.to_thread(silence.closed.wait, 60))
        # The silent directory is gone, so this fails at once and for that reason.
        await self.assert_fails(
            endpoint.prefetch_keys(other), RingTrueError.Unavailable, 5002, "service_unreachable"
        )

    async def test_waiting_for_an_answer_ends_with_a_verdict_at_its_deadline(self):
        one, other = LAB.number(), LAB.number()
        caller, callee = await self.software(one), await self.software(other)
        await asyncio.gather(caller.publish_keys(), callee.publish_keys())
        placed = await caller.place(one, other, want_answer=True)
        outcome = await caller.await_answer(placed.answer, deadline_ms=1_000)
        self.assertEqual(outcome.verdict.verdict, Verdict.NO_RECORD)
        self.assertIsNone(outcome.state)

    async def test_shutting_down_ends_what_runs_and_what_comes_later(self):
        one, other = LAB.number(), LAB.number()
        with Silence() as silence:
            endpoint = await self.software(one, services=[silence.base_url])
            task = asyncio.create_task(endpoint.publish_keys(deadline_ms=600_000))
            await asyncio.to_thread(silence.connected.wait, 60)
            await endpoint.shut_down()
            await self.assert_fails(task, RingTrueError.Unavailable, 5019, "cancelled")
            self.assertTrue(await asyncio.to_thread(silence.closed.wait, 60))
        await self.assert_fails(
            endpoint.place(one, other), RingTrueError.Unavailable, 5019, "cancelled"
        )
        await endpoint.shut_down()
        self.assertEqual(endpoint.numbers(), [one])

    async def test_the_event_loop_is_free_while_an_endpoint_works(self):
        """A signer that takes its time does not hold up whoever waits for it."""
        number = LAB.number()
        released = threading.Event()

        class Slow(keys.Signer):
            def sign(self, message, digest):
                released.wait(60)
                return super().sign(message, digest)

        endpoint = await self.open(LAB.config(number), signer=Slow(LAB.scalar(number)))
        task = asyncio.create_task(endpoint.publish_keys(deadline_ms=60_000))
        for _ in range(20):
            await asyncio.sleep(0.01)
        self.assertFalse(task.done())
        released.set()
        self.assertEqual((await task).numbers, [number])


if __name__ == "__main__":
    unittest.main()
