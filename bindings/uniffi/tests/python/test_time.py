"""Deadlines, cancellation, the end of an endpoint, and who is kept waiting."""

import asyncio
import socket
import threading
import unittest

import keys
import scenario
from ringtrue import Placement, RingTrueError, Verdict
from scenario import Scenario, names


def setUpModule():
    scenario.set_up()


def tearDownModule():
    scenario.tear_down()


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


class Time(Scenario):
    async def test_a_deadline_holds_whatever_the_service_does(self):
        one, other = self.lab.number(), self.lab.number()
        with Silence() as silence:
            endpoint = await self.software(one, services=[silence.base_url])
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

    async def test_cancelling_stops_the_work_and_the_next_call_works(self):
        one, other = self.lab.number(), self.lab.number()
        callee = await self.software(other)
        await callee.publish_keys()
        with Silence() as silence:
            endpoint = await self.software(
                one, directory=silence.base_url, placement=self.lab.base_url
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

    async def test_giving_up_a_ringing_call_or_a_publication_stops_it(self):
        one, other = self.lab.number(), self.lab.number()
        for begin in (
            lambda endpoint: endpoint.ring(other, one, deadline_ms=600_000),
            lambda endpoint: endpoint.publish_keys(deadline_ms=600_000),
            lambda endpoint: endpoint.prefetch_contacts([other], 1),
            lambda endpoint: endpoint.readers(deadline_ms=600_000),
        ):
            with Silence() as silence:
                endpoint = await self.software(one, services=[silence.base_url])
                # As asyncio.timeout does it, in a Python that has none.
                task = asyncio.create_task(begin(endpoint))
                await asyncio.to_thread(silence.connected.wait, 60)
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(task, 0.01)
                self.assertTrue(await asyncio.to_thread(silence.closed.wait, 60))

    async def test_giving_up_does_not_wait_for_a_key_that_does_not_return(self):
        number = self.lab.number()
        asked, released = threading.Event(), threading.Event()

        class Slow(keys.Signer):
            def sign(self, message, digest):
                asked.set()
                released.wait(60)
                return super().sign(message, digest)

        endpoint = await self.open(self.lab.config(number), signer=Slow(self.lab.scalar(number)))
        task = asyncio.create_task(endpoint.publish_keys(deadline_ms=600_000))
        await asyncio.to_thread(asked.wait, 60)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertFalse(released.is_set())
        released.set()
        self.assertEqual((await endpoint.publish_keys()).numbers, [number])

    async def test_whoever_gives_up_waiting_for_a_change_may_wait_again(self):
        one, other = self.lab.number(), self.lab.number()
        endpoint = await self.software(one)
        await endpoint.publish_keys()
        call = await endpoint.ring(other, one)
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(call.changed(), 0.05)
        call.ended()
        while await call.changed() is not None:
            pass

    async def test_waiting_for_an_answer_ends_with_a_verdict_at_its_deadline(self):
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        await asyncio.gather(caller.publish_keys(), callee.publish_keys())
        placed = await caller.place(one, other, want_answer=True)
        # A busy machine may need longer for its first look.
        for deadline_ms in (1_000, 5_000, 25_000):
            outcome = await caller.await_answer(placed.answer, deadline_ms=deadline_ms)
            if outcome.verdict.verdict is not Verdict.UNAVAILABLE:
                break
        self.assertEqual(outcome.verdict.verdict, Verdict.NO_RECORD)
        self.assertIsNone(outcome.state)

    async def test_shutting_down_ends_what_runs_and_what_comes_later(self):
        one, other = self.lab.number(), self.lab.number()
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
        number = self.lab.number()
        released = threading.Event()

        class Slow(keys.Signer):
            def sign(self, message, digest):
                released.wait(60)
                return super().sign(message, digest)

        endpoint = await self.open(self.lab.config(number), signer=Slow(self.lab.scalar(number)))
        task = asyncio.create_task(endpoint.publish_keys(deadline_ms=60_000))
        for _ in range(20):
            await asyncio.sleep(0.01)
        self.assertFalse(task.done())
        released.set()
        self.assertEqual((await task).numbers, [number])


if __name__ == "__main__":
    unittest.main()
