"""The two-way call through the Python binding, against the real service; attacks on it; errors."""

import asyncio
import threading
import time
import unittest
import urllib.parse

import keys
import lab
import p256
import ringtrue
import scenario
from ringtrue import CallPhase, CheckName, Placement, RingTrueError, Verdict
from scenario import Scenario, names


def setUpModule():
    scenario.set_up()


def tearDownModule():
    scenario.tear_down()


class TwoWayCall(Scenario):
    async def test_both_sides_are_verified_in_both_directions(self):
        one, other = self.lab.number(), self.lab.number()
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
        one, other = self.lab.number(), self.lab.number()
        signer = keys.Signer(self.lab.scalar(one), form="raw")
        caller = await self.open(self.lab.config(one), signer=signer)
        callee = await self.software(other, policy=lab.policy(suites=[ringtrue.Suite.S2]))
        await asyncio.gather(caller.publish_keys(), callee.publish_keys())
        await self.two_way_call(caller, callee)

    async def test_numbers_are_read_as_the_application_says(self):
        one, other = self.lab.number(), self.lab.number()
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
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        self.assertTrue((await callee.publish_keys()).rotated)
        self.assertFalse((await callee.publish_keys()).rotated)
        self.assertTrue((await callee.rotate_keys()).rotated)
        self.assertEqual((await caller.place(one, other)).placement, Placement.STORED)
        call = await callee.ring(one, other)
        self.assert_verified(call.verdict(), one, other)

    async def test_both_sides_see_the_same_call(self):
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        await asyncio.gather(caller.publish_keys(), callee.publish_keys())
        def dialled(call):
            return call.outcome().verdict

        def rung(call):
            return call.verdict()

        async def until_confirmed(call, verdict):
            while verdict(call).verdict is not Verdict.CONFIRMED:
                self.assertIsNotNone(await call.changed())

        # Where requests take long, the clocks leave too much open, and a call says so. Then the next one
        # has to do.
        for _ in range(40):
            placed = await caller.place(one, other, want_answer=True)
            outgoing = caller.outgoing(placed.call)
            self.assertEqual(outgoing.outcome().verdict.verdict, Verdict.NO_RECORD)
            ringing = await callee.ring(one, other)
            # Both people are on the line at once.
            outgoing.answered()
            answered = await callee.answer(ringing, CallPhase.ANSWERED)
            self.assertTrue(answered.sent)
            both = asyncio.gather(until_confirmed(outgoing, dialled), until_confirmed(ringing, rung))
            try:
                await asyncio.wait_for(both, 12)
                break
            except asyncio.TimeoutError:
                for verdict in (dialled(outgoing), rung(ringing)):
                    if verdict.verdict is not Verdict.CONFIRMED:
                        self.assertEqual(verdict.verdict, Verdict.VERIFIED)
                        self.assertIn("clock_uncertain", names(verdict.reasons))
                outgoing.ended()
                ringing.ended()
                await asyncio.sleep(1.1)  # Two calls of one second are one to a replay check.
        self.assertEqual(dialled(outgoing).verdict, Verdict.CONFIRMED)
        self.assertEqual(outgoing.outcome().state.phase, CallPhase.ANSWERED)
        self.assert_verified(outgoing.outcome().verdict, one, other, notices=["keys_just_in_time"])
        outgoing.ended()
        ringing.ended()
        while await outgoing.changed() is not None:
            pass

    async def test_a_call_that_its_caller_gave_up_is_conflicting(self):
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        placed = await caller.place(one, other)
        outgoing = caller.outgoing(placed.call)
        self.assertEqual(outgoing.outcome().verdict.verdict, Verdict.UNAVAILABLE)
        ringing = await callee.ring(one, other)
        self.assert_verified(ringing.verdict(), one, other)
        outgoing.ended()
        while ringing.verdict().verdict is not Verdict.CONFLICTING:
            self.assertIsNotNone(await ringing.changed())
        self.assertIn("caller_gone", names(ringing.verdict().reasons))
        ringing.ended()

    async def test_a_call_of_an_endpoint_that_was_shut_down_reports_nothing(self):
        one, other = self.lab.number(), self.lab.number()
        caller = await self.software(one)
        placed = await caller.place(one, other)
        before = caller.outgoing(placed.call)
        await caller.shut_down()
        for call in (before, caller.outgoing(placed.call)):
            call.answered()
            call.ended()
            self.assertEqual(call.outcome().verdict.verdict, Verdict.UNAVAILABLE)
            self.assertIsNone(await call.changed())

    async def test_a_call_that_was_not_announced_becomes_verified_later(self):
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        call = await callee.ring(one, other)
        self.assertEqual(call.verdict().verdict, Verdict.NO_RECORD)
        await caller.place(one, other)
        # Looks again, however long the announcement took.
        call.answered()
        verdict = await call.changed()
        self.assert_verified(verdict, one, other, notices=["deadline_passed"])
        self.assertEqual(call.verdict(), verdict)
        call.ended()
        while await call.changed() is not None:
            pass


class Attacks(Scenario):
    async def test_an_impostor_without_announcement_is_not_verified(self):
        one, other = self.lab.number(), self.lab.number()
        callee = await self.software(other)
        await callee.publish_keys()
        call = await callee.ring(one, other)
        self.assertEqual(call.verdict().verdict, Verdict.NO_RECORD)
        self.assertFalse(call.verdict().verdict.is_good())
        await self.assert_fails(
            callee.answer(call, CallPhase.ANSWERED), RingTrueError.Misuse, 6003, "not_verified"
        )

    async def test_a_credential_of_another_number_announces_nothing(self):
        victim, other, own = self.lab.number(), self.lab.number(), self.lab.number()
        impostor = await self.open(
            self.lab.config(victim, credential_of=own),
            signer=ringtrue.software_signer(self.lab.read(own, "key.pem")),
        )
        callee = await self.software(other)
        await callee.publish_keys()
        placed = await impostor.place(victim, other)
        self.assertEqual(placed.placement, Placement.UNPROTECTED)
        self.assertIn("number_not_covered", names(placed.reasons))
        call = await callee.ring(victim, other)
        self.assertEqual(call.verdict().verdict, Verdict.NO_RECORD)

    async def test_an_announcement_is_good_for_one_call(self):
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        await caller.place(one, other)
        first = await callee.ring(one, other)
        self.assertTrue(first.verdict().verdict.is_good())
        # Two that ring at once would be conflicting.
        first.ended()
        verdict = (await callee.ring(one, other)).verdict()
        self.assertEqual(verdict.verdict, Verdict.REFUSED)
        self.assertIn((3003, "replayed"), [(r.code, r.name) for r in verdict.reasons])
        [failed] = [made for made in verdict.checks if made.result.is_failed()]
        self.assertEqual(failed.check, CheckName.REPLAY)
        self.assertEqual(failed.result.reason.kind, ringtrue.ReasonKind.MISMATCH)

    async def test_an_answer_that_was_not_asked_for_is_not_sent(self):
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        await callee.publish_keys()
        self.assertIsNone((await caller.place(one, other)).answer)
        call = await callee.ring(one, other)
        await self.assert_fails(
            callee.answer(call, CallPhase.ANSWERED), RingTrueError.Misuse, 6004, "rsp_not_requested"
        )


class Errors(Scenario):
    async def test_a_configuration_is_checked(self):
        number = self.lab.number()

        def opened(signer=None, **members):
            signer = signer or ringtrue.software_signer(self.lab.read(number, "key.pem"))
            return self.open(self.lab.config(number, **members), signer=signer)

        misuse, malformed = RingTrueError.Misuse, RingTrueError.Malformed
        await self.assert_fails(opened(numbers=[]), misuse, 6002, "configuration_invalid")
        await self.assert_fails(opened(anchors_pem=[]), misuse, 6002, "configuration_invalid")
        await self.assert_fails(opened(token_stock=19), misuse, 6002, "configuration_invalid")
        await self.assert_fails(opened(numbers=["bob"]), malformed, 1001, "malformed_number")
        await self.assert_fails(opened(anchors_pem=["x"]), malformed, 1023, "malformed_pem")
        await self.assert_fails(
            opened(services=["http://cps.example"]), malformed, 1017, "malformed_url"
        )
        await self.assert_fails(
            opened(anchors_pem=[self.lab.read("tls-root.pem")]),
            RingTrueError.Untrusted,
            2025,
            "chain_incomplete",
        )
        await self.assert_fails(
            opened(state_file=str(self.lab.path)),
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

    async def test_wallets_are_named_and_checked(self):
        number = self.lab.number()
        issuer = urllib.parse.urlsplit(self.lab.base_url).netloc
        endpoint = await self.software(
            number, token_issuer=issuer, token_stock=20, policy=ringtrue.Policy(max_price=1)
        )
        name = ringtrue.WalletName(issuer=issuer, service="cps.example")
        self.assertEqual(endpoint.wallets(), [])
        status = await endpoint.wallet_status(name)
        self.assertEqual((status.name, status.tokens, status.end_unix_s), (name, 0, None))
        # The service of these tests issues no tokens.
        refilled = await endpoint.refill_tokens(name)
        self.assertEqual((refilled.added, refilled.stock), (0, 0))
        self.assertNotEqual(names(refilled.reasons), [])
        wrong = ringtrue.WalletName(issuer="no authority/", service="cps.example")
        for failing in (endpoint.wallet_status(wrong), endpoint.refill_tokens(wrong)):
            with self.assertRaises(RingTrueError.Malformed):
                await failing
        self.assertNotIn(issuer, str(name))

    async def test_numbers_are_checked(self):
        one, other = self.lab.number(), self.lab.number()
        endpoint = await self.software(one)
        malformed, misuse = RingTrueError.Malformed, RingTrueError.Misuse
        await self.assert_fails(endpoint.place(one, ""), malformed, 1001, "malformed_number")
        await self.assert_fails(endpoint.place(other, one), misuse, 6001, "number_not_owned")
        await self.assert_fails(endpoint.ring(one, other), misuse, 6001, "number_not_owned")
        with self.assertRaises(RingTrueError.Malformed):
            endpoint.read_number("not a number")

    async def test_without_a_credential_nothing_is_published_or_announced(self):
        one, other = self.lab.number(), self.lab.number()
        endpoint = await self.open(self.lab.config(one, credential=None))
        callee = await self.software(other)
        await callee.publish_keys()
        await self.assert_fails(
            endpoint.publish_keys(), RingTrueError.Untrusted, 2012, "credential_unavailable"
        )
        placed = await endpoint.place(one, other)
        self.assertEqual(placed.placement, Placement.UNPROTECTED)
        self.assertIn("credential_unavailable", names(placed.reasons))

    async def test_a_number_without_keys_is_named(self):
        one, other = self.lab.number(), self.lab.number()
        endpoint = await self.software(one)
        await self.assert_fails(
            endpoint.prefetch_keys(other), RingTrueError.Unavailable, 5011, "no_usable_key"
        )
        placed = await endpoint.place(one, other)
        self.assertEqual(placed.placement, Placement.UNPROTECTED)
        self.assertEqual(names(placed.reasons), ["no_usable_key", "keys_just_in_time"])

    async def test_text_of_records_and_errors_holds_no_number(self):
        one, other = self.lab.number(), self.lab.number()
        caller, callee = await self.software(one), await self.software(other)
        published = await callee.publish_keys()
        placed = await caller.place(one, other)
        call = await callee.ring(one, other)
        with self.assertRaises(RingTrueError) as caught:
            await caller.place(other, one)
        for value in (
            self.lab.config(one),
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


if __name__ == "__main__":
    unittest.main()
