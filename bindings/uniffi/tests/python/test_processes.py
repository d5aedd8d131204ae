"""How applications end.

One that is killed while a telephone rings loses a call at most: no announcement is good twice, and its state
goes on to be of use. One that has shut its endpoints down may end at once.
"""

import asyncio
import os
import pickle
import subprocess
import sys
import time
import unittest
from pathlib import Path

import ringtrue
import scenario
from ringtrue import Placement
from scenario import Scenario
from wire import Wire

PROGRAM = Path(__file__).with_name("ringing.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(ringtrue.__file__).parent)}
VERIFIED, REPLAYED = "VERIFIED", "REFUSED replayed"

ENDS_AT_ONCE = """
import asyncio, pickle, sys
import ringtrue

async def main():
    config, key = pickle.load(sys.stdin.buffer)
    endpoint = await ringtrue.Endpoint.open(config, signer=ringtrue.software_signer(key))
    await endpoint.shut_down()

asyncio.run(main())
"""

# Kills between the beginning of a ring and its verdict, which comes later or sooner each time.
MOMENTS = 6


def setUpModule():
    scenario.set_up()


def tearDownModule():
    scenario.tear_down()


class Process:
    """The application. It ends when nobody needs it any more, or by `kill`."""

    def __init__(self, config, key, caller):
        self._process = subprocess.Popen(
            [sys.executable, "-B", str(PROGRAM)],
            env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        pickle.dump((config, key, caller), self._process.stdin)
        self._process.stdin.flush()
        assert self.line() == "ready"

    def line(self):
        return self._process.stdout.readline().decode().strip()

    def ring(self):
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def kill(self):
        """Ends it as a system does that wants its memory; gives what it had said."""
        self._process.kill()
        return self._ended(-9)

    def end(self):
        self._process.stdin.close()
        return self._ended(0)

    def _ended(self, status):
        said = self._process.stdout.read().decode().splitlines()
        self._process.stdout.close()
        assert self._process.wait(timeout=120) == status, status
        if not self._process.stdin.closed:
            self._process.stdin.close()
        return said


class Ends(Scenario):
    async def test_whoever_has_shut_down_may_end_at_once(self):
        number = self.lab.number()
        given = pickle.dumps((self.lab.config(number), self.lab.read(number, "key.pem")))
        for _ in range(8):
            made = subprocess.run(
                [sys.executable, "-B", "-c", ENDS_AT_ONCE],
                env=ENVIRONMENT, input=given, stderr=subprocess.PIPE, timeout=120,
            )
            self.assertEqual((made.returncode, made.stderr), (0, b""))


class Killed(Scenario):
    async def asyncSetUp(self):
        self.number = self.lab.number()
        self.config = self.lab.config(self.number)
        self.key = self.lab.read(self.number, "key.pem")
        endpoint = await self.open(self.config, signer=ringtrue.software_signer(self.key))
        await endpoint.publish_keys()
        await endpoint.shut_down()

    async def announced(self):
        """A number that has announced a call."""
        number = self.lab.number()
        caller = await self.software(number)
        placed = await caller.place(number, self.number)
        self.assertEqual(placed.placement, Placement.STORED)
        return number

    def begun(self, caller, **members):
        config = pickle.loads(pickle.dumps(self.config))
        for name, value in members.items():
            setattr(config, name, value)
        process = Process(config, self.key, caller)
        process.ring()
        return process

    def rings_again(self, caller):
        """What the next process says, and the one after it, each of which ends of its own accord."""
        said = []
        for _ in range(2):
            process = self.begun(caller)
            said.append(process.line())
            process.end()
        return said

    async def test_after_the_verdict_the_announcement_is_used(self):
        caller = await self.announced()
        process = self.begun(caller)
        self.assertEqual(process.line(), VERIFIED)
        process.kill()
        self.assertEqual(self.rings_again(caller), [REPLAYED, REPLAYED])

    async def test_before_its_first_poll_is_answered_the_announcement_is_not_used(self):
        caller = await self.announced()
        with Wire(self.lab.base_url, "held") as wire:
            process = self.begun(caller, services=[wire.base_url])
            self.assertTrue(await asyncio.to_thread(wire.reached.wait, 60))
            self.assertEqual(process.kill(), [])
        self.assertEqual(self.rings_again(caller), [VERIFIED, REPLAYED])

    async def test_whenever_it_is_killed_no_announcement_is_verified_twice(self):
        caller = await self.announced()
        begun = time.monotonic()
        process = self.begun(caller)
        self.assertEqual(process.line(), VERIFIED)
        span = time.monotonic() - begun
        process.kill()
        told = []
        for at in range(MOMENTS):
            caller = await self.announced()
            process = self.begun(caller)
            await asyncio.sleep(span * at / MOMENTS)
            said = process.kill() + self.rings_again(caller)
            with self.subTest(moment=at, said=said):
                self.assertLessEqual(said.count(VERIFIED), 1)
                self.assertEqual(said[-1], REPLAYED)
                self.assertLessEqual(set(said), {VERIFIED, REPLAYED})
            told.append(said)
        # The state is of use for the next call, and for the telephone's keys.
        endpoint = await self.open(self.config, signer=ringtrue.software_signer(self.key))
        self.assertEqual((await endpoint.publish_keys()).numbers, [self.number])
        self.assertEqual(self.rings_again(await self.announced()), [VERIFIED, REPLAYED])
        lost = sum(VERIFIED not in said for said in told)
        after = sum(len(said) == 3 for said in told)
        print("%d kills: %d after the verdict, %d calls lost" % (MOMENTS, after, lost))


if __name__ == "__main__":
    unittest.main()
