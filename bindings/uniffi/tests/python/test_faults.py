"""Wrong use and lost connections: each gives a documented code, and nothing breaks."""

import asyncio
import gc
import json
import os
import socket
import threading
import time
import unittest

import keys
import p256
import ringtrue
import scenario
import scripted
from ringtrue import Placement, RingTrueError, Verdict
from scenario import Scenario, names
from test_scenario_files import FILES
from wire import Wire


def setUpModule():
    scenario.set_up()


def tearDownModule():
    scenario.tear_down()


class HangingUp:
    """A server that takes connections, reads a little and hangs up."""

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = "https://127.0.0.1:%d" % self._socket.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.recv(16)

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(60)


class Returning(keys.Signer):
    """Returns something that the interface does not allow."""

    def __init__(self, scalar, public_key=None, signature=None):
        super().__init__(scalar)
        self._public_key, self._signature = public_key, signature

    def public_key(self):
        return super().public_key() if self._public_key is None else self._public_key

    def sign(self, message, digest):
        if self._signature is None:
            return super().sign(message, digest)
        return self._signature


class OtherKey(keys.Agreement):
    """Says that it is one key and agrees with another."""

    def agree(self, peer):
        return p256.agree(p256.generate(), peer)


class WrongUse(Scenario):
    async def test_every_call_after_the_end_is_cancelled(self):
        one, other = self.lab.number(), self.lab.number()
        endpoint = await self.software(one)
        placed = await endpoint.place(one, other, want_answer=True)
        issuer = ringtrue.WalletName(issuer="tokens.example", service="cps.example")
        await asyncio.gather(*(endpoint.shut_down() for _ in range(5)))
        chain = self.lab.read(one, "chain.pem")
        for late in (
            endpoint.publish_keys(),
            endpoint.rotate_keys(),
            endpoint.prefetch_keys(other),
            endpoint.prefetch_contacts([other], 10),
            endpoint.refresh_gateways(),
            endpoint.readers(),
            endpoint.place(one, other),
            endpoint.ring(other, one),
            endpoint.certificate_request(),
            endpoint.install_certificate(chain, "https://certs.example/a.pem"),
            endpoint.update_trust(),
            endpoint.wallet_status(issuer),
            endpoint.refill_tokens(issuer),
        ):
            await self.assert_fails(late, RingTrueError.Unavailable, 5019, "cancelled")
        # What needs no thread works on, and what would need one does nothing.
        self.assertEqual(endpoint.numbers(), [one])
        self.assertEqual(endpoint.read_number("+" + one), one)
        endpoint.outgoing(placed.call).ended()
        cover = endpoint.cover_traffic(ringtrue.Power.PLENTY)
        self.assertEqual(cover.counts().stores, 0)
        cover.stop()

    async def test_an_endpoint_may_be_used_and_ended_from_many_threads(self):
        one, other = self.lab.number(), self.lab.number()
        endpoint, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        outcomes, failures = [], []
        begun = threading.Barrier(9)

        def use():
            async def calls():
                begun.wait(60)
                while True:
                    placed = await endpoint.place(one, other)
                    call = await endpoint.ring(other, one, deadline_ms=300)
                    outcomes.append((placed.placement, call.verdict().verdict))
                    call.ended()

            try:
                asyncio.run(calls())
            except RingTrueError as error:
                failures.append((error.code, error.name))

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        await asyncio.to_thread(begun.wait, 60)
        while len(outcomes) < 8:
            await asyncio.sleep(0.05)
        await endpoint.shut_down()
        for thread in threads:
            await asyncio.to_thread(thread.join, 60)
        self.assertEqual(failures, [(5019, "cancelled")] * 8)
        self.assertIn(Placement.STORED, [placement for placement, _ in outcomes])
        self.assertEqual([v for _, v in outcomes if v.is_good()], [])

    async def test_what_a_key_may_not_return_is_named(self):
        number = self.lab.number()
        scalar = self.lab.scalar(number)
        raw = ringtrue.DeviceSignature.RAW
        failed = (RingTrueError.Unavailable, 5013, "signer_failed")
        malformed = (RingTrueError.Malformed, 1009, "malformed_signature")
        for signature, expected in (
            ("not a signature", failed),
            (raw(octets=b""), malformed),
            (raw(octets=bytes(63)), malformed),
            (raw(octets=bytes(64)), malformed),
            (raw(octets=bytes(100_000)), malformed),
        ):
            signer = Returning(scalar, signature=signature)
            endpoint = await self.open(self.lab.config(number), signer=signer)
            await self.assert_fails(endpoint.publish_keys(), *expected)
        for public_key, expected in (
            (5, failed),
            (b"", (RingTrueError.Malformed, 1013, "malformed_key")),
            (bytes(65), (RingTrueError.Malformed, 1013, "malformed_key")),
            (p256.public_key(p256.generate()), (RingTrueError.Untrusted, 2022, "key_mismatch")),
        ):
            signer = Returning(scalar, public_key=public_key)
            await self.assert_fails(self.open(self.lab.config(number), signer=signer), *expected)

    async def test_a_key_agreement_with_another_key_opens_nothing(self):
        one, other = self.lab.number(), self.lab.number()
        caller = await self.software(one)
        signer = keys.Signer(self.lab.scalar(other))
        callee = await self.open(self.lab.config(other), signer=signer, key_agreement=OtherKey())
        await callee.publish_keys()
        await caller.place(one, other)
        verdict = (await callee.ring(one, other, deadline_ms=700)).verdict()
        self.assertIn(verdict.verdict, (Verdict.NO_RECORD, Verdict.UNAVAILABLE))
        self.assertEqual(verdict.blobs.opened, 0)

    async def test_values_of_another_type_are_refused_at_once(self):
        endpoint = await self.software(self.lab.number())
        for wrong in (lambda: endpoint.read_number(5), lambda: endpoint.prove_control(None)):
            with self.assertRaises((TypeError, AttributeError)):
                wrong()
        with self.assertRaises((TypeError, ValueError, AttributeError)):
            await endpoint.ring("12025550177", deadline_ms=-1)
        with self.assertRaises((TypeError, AttributeError)):
            await endpoint.place(b"12025550177", "12025550178")


class LostConnections(Scenario):
    async def test_a_service_that_hangs_up_is_named(self):
        one, other = self.lab.number(), self.lab.number()
        with HangingUp() as service:
            endpoint = await self.software(one, services=[service.base_url])
            with self.assertRaises(RingTrueError.Unavailable) as caught:
                await endpoint.publish_keys()
            self.assertIn(caught.exception.name, ("service_unreachable", "tls_failed"))
            placed = await endpoint.place(one, other)
            self.assertEqual(placed.placement, Placement.UNPROTECTED)
            call = await endpoint.ring(other, one, deadline_ms=700)
            self.assertEqual(call.verdict().verdict, Verdict.UNAVAILABLE)
            self.assertGreaterEqual(service.connections, 2)
        self.assertNotEqual(names(call.verdict().reasons), [])

    async def test_a_network_that_is_lost_amid_a_request_is_named_and_nothing_is_lost_by_it(self):
        one, other = self.lab.number(), self.lab.number()
        caller = await self.software(one)
        state = str(self.lab.path / "lost.state")
        await (await self.software(other, state_file=state)).publish_keys()
        for moment in ("request", "taken", "answer"):
            with self.subTest(moment=moment), Wire(self.lab.base_url, moment) as wire:
                await asyncio.sleep(1.1)  # Two calls of one second are one to a replay check.
                self.assertEqual((await caller.place(one, other)).placement, Placement.STORED)
                cut = await self.software(other, services=[wire.base_url], state_file=state)
                call = await cut.ring(one, other, deadline_ms=5_000)
                self.assertEqual(call.verdict().verdict, Verdict.UNAVAILABLE)
                self.assertIn("service_unreachable", names(call.verdict().reasons))
                self.assertTrue(wire.reached.is_set())
                call.ended()
                await cut.shut_down()
                again = await self.software(other, state_file=state)
                verdict = (await again.ring(one, other)).verdict()
                self.assertEqual(verdict.verdict, Verdict.VERIFIED)
                await again.shut_down()

    async def test_a_network_that_is_lost_amid_publishing_or_placing_is_named(self):
        one, other = self.lab.number(), self.lab.number()
        await (await self.software(other)).publish_keys()
        for moment in ("request", "taken"):
            with self.subTest(moment=moment), Wire(self.lab.base_url, moment) as wire:
                endpoint = await self.software(one, services=[wire.base_url])
                await self.assert_fails(
                    endpoint.publish_keys(), RingTrueError.Unavailable, 5002, "service_unreachable"
                )
                placed = await endpoint.place(one, other)
                self.assertEqual(placed.placement, Placement.UNPROTECTED)
                self.assertIn("service_unreachable", names(placed.reasons))
                self.assertTrue(wire.reached.is_set())
                wire.mend()
                # A second statement of one second is none that supersedes the first.
                await asyncio.sleep(1.1)
                self.assertEqual((await endpoint.publish_keys()).numbers, [one])
                self.assertEqual((await endpoint.place(one, other)).placement, Placement.STORED)
                await endpoint.shut_down()


def resident():
    """Octets of this process that are in memory."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Memory(Scenario):
    @unittest.skipUnless(os.path.exists("/proc/self/statm"), "needs /proc")
    async def test_a_thousand_calls_leave_nothing_behind(self):
        class NoTime(ringtrue.Clock):
            def now_unix_ms(self):
                return None

        one, other = self.lab.number(), self.lab.number()
        signer = keys.Signer(self.lab.scalar(one))
        endpoint = await self.open(self.lab.config(one), signer=signer, clock=NoTime())

        async def calls(count):
            for _ in range(count):
                call = await endpoint.ring(other, one)
                self.assertEqual(call.verdict().verdict, Verdict.CLOCK_UNSET)
                call.ended()
            del call
            return resident()

        before = await calls(300)
        after = await calls(1_000)
        self.assertLess(after - before, 4 << 20)

    @unittest.skipUnless(os.path.exists("/proc/self/statm"), "needs /proc")
    async def test_good_calls_of_endpoints_that_open_and_close_leave_nothing_behind(self):
        file = json.loads((FILES / "verified-call.json").read_text())

        async def calls(count):
            for _ in range(count):
                await scripted.Runner(self, file).run()
            return resident()

        before = await calls(20)
        began, after = time.monotonic(), await calls(100)
        took = time.monotonic() - began
        print("%.0f KB after 100 more endpoints, %.1f s" % ((after - before) / 1024, took))
        self.assertLess(after - before, 4 << 20)


if __name__ == "__main__":
    unittest.main()
