"""What an endpoint can do beside calls: cover traffic, media keys, a store and a log of the application."""

import asyncio
import threading
import unittest

import ringtrue
import scenario
from ringtrue import LogLevel, Placement, RingTrueError, Verdict
from scenario import Scenario, names


def setUpModule():
    scenario.set_up()


def tearDownModule():
    scenario.tear_down()


class OwnStore(ringtrue.StateStore):
    """A dictionary. `broken` says whether it fails."""

    def __init__(self):
        self._lock = threading.Lock()
        self.records, self.marks, self.broken = {}, {}, False

    def _check(self):
        if self.broken:
            raise OSError("no space left")

    def load(self, name):
        with self._lock:
            self._check()
            return self.records.get(name)

    def save(self, name, expected, value):
        with self._lock:
            self._check()
            if self.records.get(name) != expected:
                return False
            self.records[name] = value
            return True

    def claim(self, name, expires_unix_s, now_unix_s):
        with self._lock:
            self._check()
            if self.marks.get(name, 0) >= now_unix_s:
                return False
            self.marks[name] = expires_unix_s
            return True


class OwnLog(ringtrue.LogSink):
    def __init__(self):
        self.lines, self.threads, self.told = [], set(), threading.Event()

    def log(self, level, target, message):
        self.lines.append((level, target, message))
        self.threads.add(threading.get_ident())
        self.told.set()
        raise RuntimeError("a log that throws")


def media(octet):
    line = "a=fingerprint:sha-256 " + ":".join(["%02X" % octet] * 32)
    return ringtrue.media_keys_from_sdp("v=0\r\n" + line + "\r\n")


class Store(Scenario):
    async def test_a_store_of_the_application_keeps_everything_over_a_restart(self):
        one, other = self.lab.number(), self.lab.number()
        store = OwnStore()
        parts = {"store": store, "state_key": bytes(range(32))}
        caller = await self.software(one)
        callee = await self.with_store(other, **parts)
        await callee.publish_keys()
        await callee.shut_down()
        await caller.place(one, other)
        again = await self.with_store(other, **parts)
        self.assertEqual((await again.ring(one, other)).verdict().verdict, Verdict.VERIFIED)
        # An announcement is good once, whichever endpoint of this store sees it.
        third = await self.with_store(other, **parts)
        verdict = (await third.ring(one, other)).verdict()
        self.assertEqual(verdict.verdict, Verdict.REFUSED)
        self.assertIn("replayed", names(verdict.reasons))
        # Nothing of it can be read.
        held = b"".join(store.records.values()) + "".join(store.records).encode()
        for number in (one, other):
            self.assertNotIn(number.encode(), held)

    async def with_store(self, number, store, state_key):
        config = self.lab.config(number, state_file=None, state_key=state_key)
        signer = ringtrue.software_signer(self.lab.read(number, "key.pem"))
        return await self.open(config, signer=signer, store=store)

    async def test_a_store_that_throws_is_named_and_the_next_call_works(self):
        number = self.lab.number()
        store = OwnStore()
        endpoint = await self.with_store(number, store, bytes(32))
        store.broken = True
        await self.assert_fails(
            endpoint.publish_keys(), RingTrueError.Unavailable, 5015, "state_unavailable"
        )
        store.broken = False
        self.assertEqual((await endpoint.publish_keys()).numbers, [number])

    async def test_one_of_file_and_store_is_required_and_a_store_needs_a_key(self):
        number = self.lab.number()
        signer = ringtrue.software_signer(self.lab.read(number, "key.pem"))
        wrong = (RingTrueError.Misuse, 6002, "configuration_invalid")
        for members, parts in (
            ({"state_file": None}, {}),
            ({"state_file": None}, {"store": OwnStore()}),
            ({"state_key": bytes(32)}, {"store": OwnStore()}),
            ({"state_key": bytes(31)}, {}),
        ):
            config = self.lab.config(number, **members)
            await self.assert_fails(self.open(config, signer=signer, **parts), *wrong)


class Calls(Scenario):
    async def test_media_keys_that_are_those_announced_confirm_a_call(self):
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        await asyncio.gather(caller.publish_keys(), callee.publish_keys())
        for octet, wanted in ((1, Verdict.CONFIRMED), (9, Verdict.CONFLICTING)):
            await asyncio.sleep(1.1)  # Two calls of one second are one to a replay check.
            placed = await caller.place(one, other, want_answer=True, media=media(1))
            self.assertEqual(placed.placement, Placement.STORED)
            outgoing = caller.outgoing(placed.call)
            ringing = await callee.ring(one, other)
            ringing.media(media(2), media(octet))
            while ringing.verdict().verdict is not wanted:
                self.assertIsNotNone(await ringing.changed())
            outgoing.ended()
            ringing.ended()
        self.assertNotIn("01", str(media(1)))
        with self.assertRaises(RingTrueError.Malformed) as caught:
            ringing.media(ringtrue.MediaKeys(fingerprints=[]), media(1))
        self.assertEqual(caught.exception.name, "malformed_mky")

    async def test_an_announcement_is_dialled_at_once_or_not_at_all(self):
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        placed = await caller.place(one, other)
        self.assertEqual(placed.placement, Placement.STORED)
        while caller.may_be_dialled(placed.call):
            await asyncio.sleep(0.05)

    async def test_only_who_proved_it_is_called_back(self):
        one, other = self.lab.number(), self.lab.number()
        endpoint = await self.software(one)
        for _ in range(2):
            with self.assertRaises(RingTrueError) as caught:
                endpoint.call_back_after_ms(other)
            self.assertEqual(caught.exception.name, "callback_not_proved")
            endpoint.prove_control(other)
            after = endpoint.call_back_after_ms(other)
            self.assertTrue(5_000 <= after <= 65_000, after)
        with self.assertRaises(RingTrueError.Malformed):
            endpoint.prove_control("bob")

    async def test_contacts_are_looked_up_ahead(self):
        one, other, nobody = self.lab.number(), self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        prefetched = await caller.prefetch_contacts([other, nobody], 100)
        found = (prefetched.found, prefetched.without_keys, prefetched.failed)
        self.assertEqual(found, (1, 1, 0))
        placed = await caller.place(one, other)
        self.assertEqual((placed.placement, names(placed.reasons)), (Placement.STORED, []))
        # Without a relay there is no gateway.
        self.assertIsNone(await caller.refresh_gateways())

    async def test_cover_traffic_goes_on_until_it_is_stopped(self):
        one = self.lab.number()
        endpoint = await self.software(one)
        await endpoint.publish_keys()
        policy = ringtrue.CoverPolicy(
            profile=ringtrue.CoverProfile.ENTERPRISE, store_interval_ms=0, poll_interval_ms=1_000
        )
        cover = endpoint.cover_traffic(ringtrue.Power.PLENTY, policy)
        while cover.counts().polls == 0:
            await asyncio.sleep(0.05)
        self.assertEqual(cover.counts().stores, 0)
        cover.set_power(ringtrue.Power.SCARCE)
        cover.stop()
        cover.stop()
        self.assertIsNone(cover.counts())


class Log(Scenario):
    async def test_lines_come_on_a_thread_of_their_own_and_without_numbers(self):
        one, other = self.lab.number(), self.lab.number()
        log = OwnLog()
        ringtrue.set_log_sink(log, LogLevel.DEBUG)
        try:
            caller, callee = await self.software(one), await self.software(other)
            await asyncio.gather(caller.publish_keys(), callee.publish_keys())
            await self.two_way_call(caller, callee)
            while not any("a call rings" in message for _, _, message in log.lines):
                await asyncio.sleep(0.05)
        finally:
            ringtrue.set_log_sink(None, LogLevel.DEBUG)
        before = len(log.lines)
        await callee.ring(one, other, deadline_ms=300)
        self.assertEqual(len(log.lines), before)
        self.assertNotIn(threading.get_ident(), log.threads)
        self.assertEqual(len(log.threads), 1)
        text = "\n".join("%s %s" % (target, message) for _, target, message in log.lines)
        self.assertIn("a call rings", text)
        for secret in (one, other, self.lab.base_url):
            self.assertNotIn(secret, text)


if __name__ == "__main__":
    unittest.main()
