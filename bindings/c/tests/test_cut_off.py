"""The terminal adapter when something ends in the middle: its process, or the network amid a request.

`cargo xtask test --only c` runs it.
"""

import subprocess
import sys
import time
import unittest

from lab import C, CURL, HAS_CURL, HOST, ROOT, Lab, compiled, run

sys.path.append(str(ROOT / "bindings" / "uniffi" / "tests" / "python"))
from wire import Wire  # noqa: E402

CALLER, CALLEE, OTHER = "12025550143", "12025550199", "12025550111"
VERIFIED, REPLAYED = "verified", "refused replayed"

# Kills between the beginning of a ring and its verdict, which comes later or sooner each time.
MOMENTS = 6


@unittest.skipUnless(HAS_CURL, "no libcurl to compile with (libcurl4-openssl-dev)")
class CutOff(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab([CALLER, CALLEE, OTHER]).serve()
        cls.program = compiled(
            cls.lab.path / "adapter", C / "examples" / "adapter.c", *HOST, libraries=CURL
        )
        for number in (CALLER, CALLEE):
            status, printed = run(cls.program, *cls.lab.options(number), "publish")
            assert status == 0, printed

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    def through(self, wire, number):
        options = self.lab.options(number)
        options[options.index("--service") + 1] = wire.base_url
        return options

    def begun(self, options, *command):
        process = subprocess.Popen(
            [str(part) for part in (self.program, *options, *command)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def announce(self):
        """Announces a call; the second before another one is over."""
        time.sleep(1.1)
        process = self.begun(self.lab.options(CALLER), "place", CALLEE)
        self.assertRegex(process.stdout.readline(), "^place: done")
        process.kill()
        process.wait()

    def killed(self, process):
        """Ends it as a power cut does; gives the verdicts that it had said."""
        process.kill()
        said = process.stdout.read().splitlines()
        self.assertEqual(process.wait(), -9, said)
        return said

    def rings_again(self):
        """The first verdicts of the two runs that follow."""
        said = []
        for _ in range(2):
            status, printed = run(self.program, *self.lab.options(CALLEE), "ring", CALLER)
            self.assertIn(status, (0, 3), printed)
            said.append(printed.splitlines()[0])
        return said

    def test_an_adapter_that_is_killed_after_its_verdict_has_used_the_announcement(self):
        self.announce()
        process = self.begun(self.lab.options(CALLEE), "ring", CALLER)
        self.assertEqual(process.stdout.readline(), VERIFIED + "\n")
        self.killed(process)
        self.assertEqual(self.rings_again(), [REPLAYED, REPLAYED])

    def test_an_adapter_that_is_killed_before_its_poll_is_answered_has_not(self):
        self.announce()
        with Wire(self.lab.base_url, "held") as wire:
            process = self.begun(self.through(wire, CALLEE), "ring", CALLER)
            self.assertTrue(wire.reached.wait(60))
            self.assertEqual(self.killed(process), [])
        self.assertEqual(self.rings_again(), [VERIFIED, REPLAYED])

    def test_whenever_it_is_killed_no_announcement_is_verified_twice(self):
        self.announce()
        began = time.monotonic()
        process = self.begun(self.lab.options(CALLEE), "ring", CALLER)
        self.assertEqual(process.stdout.readline(), VERIFIED + "\n")
        span = time.monotonic() - began
        self.killed(process)
        told = []
        for moment in range(MOMENTS):
            self.announce()
            process = self.begun(self.lab.options(CALLEE), "ring", CALLER)
            time.sleep(span * moment / MOMENTS)
            said = self.killed(process) + self.rings_again()
            with self.subTest(moment=moment, said=said):
                self.assertLessEqual(said.count(VERIFIED), 1)
                self.assertEqual(said[-1], REPLAYED)
                self.assertLessEqual(set(said), {VERIFIED, REPLAYED})
            told.append(said)
        # The records are of use to what follows.
        status, printed = run(self.program, *self.lab.options(CALLEE), "publish")
        self.assertEqual((status, printed), (0, "publish: done\n"))
        self.announce()
        self.assertEqual(self.rings_again(), [VERIFIED, REPLAYED])
        lost = sum(VERIFIED not in said for said in told)
        after = sum(len(said) == 3 for said in told)
        print("%d kills: %d after the verdict, %d calls lost" % (MOMENTS, after, lost))

    def test_a_network_that_is_lost_amid_a_poll_is_named_and_the_call_is_not_lost_by_it(self):
        for moment in ("request", "taken", "answer"):
            with self.subTest(moment=moment), Wire(self.lab.base_url, moment) as wire:
                self.announce()
                status, printed = run(self.program, *self.through(wire, CALLEE), "ring", CALLER)
                self.assertEqual(status, 3, printed)
                self.assertRegex(printed, "^unavailable .*service_unreachable")
                self.assertTrue(wire.reached.is_set())
                self.assertEqual(self.rings_again(), [VERIFIED, REPLAYED])

    def test_a_network_that_is_lost_amid_publishing_or_placing_is_named(self):
        for moment in ("request", "taken"):
            with self.subTest(moment=moment), Wire(self.lab.base_url, moment) as wire:
                options = self.through(wire, OTHER)
                # A new device each time, which knows nobody's keys.
                options[options.index("--state") + 1] = self.lab.state(OTHER + "-" + moment)
                status, printed = run(self.program, *options, "publish")
                self.assertEqual(status, 1, printed)
                self.assertRegex(printed, "^publish: not done .*service_unreachable")
                status, printed = run(self.program, *options, "place", CALLEE)
                self.assertEqual(status, 3, printed)
                self.assertRegex(printed, "^place: not done .*service_unreachable")
                self.assertTrue(wire.reached.is_set())
                wire.mend()
                # A second statement of one second is none that supersedes the first.
                time.sleep(1.1)
                status, printed = run(self.program, *options, "publish")
                self.assertEqual((status, printed), (0, "publish: done\n"))
                process = self.begun(options, "place", CALLEE)
                self.assertRegex(process.stdout.readline(), "^place: done")


if __name__ == "__main__":
    unittest.main()
