"""Keys, transport and clock that the application implements, and ones that fail."""

import asyncio
import http.client
import ssl
import unittest
import urllib.parse

import keys
import ringtrue
import scenario
from ringtrue import Placement, RingTrueError, Verdict
from scenario import Scenario, names


def setUpModule():
    scenario.set_up()


def tearDownModule():
    scenario.tear_down()


class ForeignKeys(Scenario):
    async def test_a_signer_that_raises_is_named_and_the_next_call_works(self):
        for error in (ringtrue.HostError.Failed, lambda: RuntimeError("locked")):
            number = self.lab.number()
            signer = keys.Failing(self.lab.scalar(number), error)
            endpoint = await self.open(self.lab.config(number), signer=signer)
            await self.assert_fails(
                endpoint.publish_keys(), RingTrueError.Unavailable, 5013, "signer_failed"
            )
            signer._where = ()
            self.assertEqual((await endpoint.publish_keys()).numbers, [number])

    async def test_a_call_is_dialled_unprotected_when_the_signer_raises(self):
        one, other = self.lab.number(), self.lab.number()
        signer = keys.Failing(self.lab.scalar(one), ringtrue.HostError.Failed)
        caller = await self.open(self.lab.config(one), signer=signer)
        callee = await self.software(other)
        await callee.publish_keys()
        placed = await caller.place(one, other)
        self.assertEqual(placed.placement, Placement.UNPROTECTED)
        self.assertIn("signer_failed", names(placed.reasons))

    async def test_a_key_that_does_not_say_who_it_is_is_named(self):
        number = self.lab.number()
        for error in (ringtrue.HostError.Failed, KeyError):
            signer = keys.Failing(self.lab.scalar(number), error, where=("public_key",))
            await self.assert_fails(
                self.open(self.lab.config(number), signer=signer),
                RingTrueError.Unavailable,
                5013,
                "signer_failed",
            )

    async def test_signatures_that_do_not_verify_are_not_used(self):
        one, other = self.lab.number(), self.lab.number()
        callee = await self.software(other)
        await callee.publish_keys()
        for signer, kind, code, name in (
            (keys.TwiceHashing, RingTrueError.Unavailable, 5013, "signer_failed"),
            (keys.Garbling, RingTrueError.Malformed, 1009, "malformed_signature"),
        ):
            signer = signer(self.lab.scalar(one))
            endpoint = await self.open(self.lab.config(one), signer=signer)
            await self.assert_fails(endpoint.publish_keys(), kind, code, name)
            placed = await endpoint.place(one, other)
            self.assertEqual(placed.placement, Placement.UNPROTECTED)
            self.assertIn(name, names(placed.reasons))

    async def test_a_key_agreement_that_raises_opens_nothing(self):
        one, other = self.lab.number(), self.lab.number()
        caller = await self.software(one)
        callee = await self.open(
            self.lab.config(other),
            signer=keys.Signer(self.lab.scalar(other)),
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

    def __init__(self, tls_root_pem):
        self._tls = ssl.create_default_context(cadata=tls_root_pem)
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


class Surroundings(Scenario):
    async def test_the_application_s_own_transport_carries_a_two_way_call(self):
        one, other = self.lab.number(), self.lab.number()
        transport = OwnTransport(self.lab.read("tls-root.pem"))
        caller = await self.open(
            self.lab.config(one), signer=keys.Signer(self.lab.scalar(one)), transport=transport
        )
        callee = await self.software(other)
        await asyncio.gather(caller.publish_keys(), callee.publish_keys())
        await self.two_way_call(caller, callee)
        # No relay and no token issuer is configured, so nobody is asked for what they publish or issue.
        role = ringtrue.Role
        expected = {role.LOOKUP, role.PUBLISH, role.RETRIEVE, role.STORE}
        self.assertEqual(set(transport.roles), expected)

    async def test_a_transport_that_raises_is_named(self):
        number = self.lab.number()
        for error, code, name in (
            (lambda: OSError("no network"), 5002, "service_unreachable"),
            (ringtrue.TransportError.TlsFailed, 5003, "tls_failed"),
            (ringtrue.TransportError.Redirected, 5009, "redirected"),
        ):
            endpoint = await self.open(
                self.lab.config(number),
                signer=keys.Signer(self.lab.scalar(number)),
                transport=BrokenTransport(error),
            )
            await self.assert_fails(
                endpoint.publish_keys(), RingTrueError.Unavailable, code, name
            )

    async def test_without_a_clock_nothing_is_verified(self):
        one, other = self.lab.number(), self.lab.number()
        caller = await self.software(one)
        await (await self.software(other)).publish_keys()

        def broken():
            raise RuntimeError("no clock")

        for says in (lambda: None, lambda: 0, broken):
            endpoint = await self.open(
                self.lab.config(other), signer=keys.Signer(self.lab.scalar(other)), clock=OwnClock(says)
            )
            await caller.place(one, other)
            call = await endpoint.ring(one, other)
            self.assertEqual(call.verdict().verdict, Verdict.CLOCK_UNSET)
            await self.assert_fails(
                endpoint.publish_keys(), RingTrueError.Unavailable, 8007, "clock_unset"
            )


if __name__ == "__main__":
    unittest.main()
