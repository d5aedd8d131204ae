"""What the tests of the binding have in common: a laboratory, endpoints, the two-way call.

Needs the generated module on the path, the shared library beside it, and the command in RINGTRUE_BIN
(target/debug/ringtrue if that is not set). Standard library only.
"""

import asyncio
import faulthandler
import time
import unittest

import keys
import ringtrue
from lab import Lab
from ringtrue import CallPhase, CheckName, Endpoint, Placement, RingTrueError, Verdict

# Seconds after which a module that hangs shows where, and ends. It takes 10 to 60, on a busy machine
# many times that.
PATIENCE = 1800

LAB = None


def set_up():
    """For the module's setUpModule."""
    global LAB
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    LAB = Lab()


def tear_down():
    """For the module's tearDownModule."""
    LAB.close()
    faulthandler.cancel_dump_traceback_later()


def names(reasons):
    return [reason.name for reason in reasons]


class Scenario(unittest.IsolatedAsyncioTestCase):
    """Opens endpoints, ends them after the test, and says what a good call is."""

    def setUp(self):
        self.lab = LAB
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
        signer = ringtrue.software_signer(self.lab.read(number, "key.pem"))
        return await self.open(self.lab.config(number, **members), signer=signer)

    async def hardware(self, number, **members):
        """An endpoint whose keys are all implemented here, and those keys."""
        signer, agreement = keys.Signer(self.lab.scalar(number)), keys.Agreement()
        config = self.lab.config(number, **members)
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
        self.assertEqual((placed.placement, names(placed.reasons)), (Placement.STORED, ["keys_just_in_time"]))
        self.assertEqual((placed.orig, placed.dest), (orig, dest))
        self.assertEqual(placed.copies, 1)
        call = await callee.ring(orig, dest)
        self.assert_verified(call.verdict(), orig, dest, notices)
        answered = await callee.answer(call, CallPhase.ANSWERED)
        # The last look has one second, which is short on a busy machine.
        self.assertLessEqual(set(names(answered.reasons)), {"deadline_passed"})
        self.assertTrue(answered.sent)
        self.assertFalse(answered.caller_gone)
        outcome = await caller.await_answer(placed.answer, deadline_ms=30_000)
        self.assert_verified(outcome.verdict, orig, dest)
        self.assertEqual(outcome.state.phase, CallPhase.ANSWERED)
        self.assertAlmostEqual(outcome.state.since_unix_ms / 1000, time.time(), delta=300)
        return placed, call
