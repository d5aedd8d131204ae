"""The device's own credential, from a key to a verified call, and whom it believes."""

import json
import unittest

import keys
import p256
import ringtrue
import scenario
from ringtrue import CredentialState, RingTrueError
from scenario import Scenario, names

BUNDLE_URL = "https://trust.example/bundle.jwt"


def setUpModule():
    scenario.set_up()


def tearDownModule():
    scenario.tear_down()


class OwnCredential(Scenario):
    async def test_a_key_becomes_a_credential_and_its_calls_are_verified(self):
        one, other = self.lab.number(), self.lab.number()
        signer = keys.Signer(p256.generate())
        config = self.lab.config(one, credential=None)
        caller = await self.open(config, signer=signer)
        callee = await self.software(other)
        self.assertEqual(caller.credential_status().state, CredentialState.MISSING)
        self.assertEqual(caller.credential_status().reason.name, "credential_missing")
        request = await caller.certificate_request("Front desk")
        self.assertTrue(request.startswith("-----BEGIN CERTIFICATE REQUEST-----"))
        csr = self.lab.path / ("%s.csr" % one)
        csr.write_text(request)
        issued = json.loads(
            self.lab.command("lab", "issue", str(self.lab.path), "--csr", str(csr), "--json")
        )
        await caller.install_certificate(issued["chain"], issued["x5u"])
        status = caller.credential_status()
        self.assertEqual((status.state, status.reason), (CredentialState.VALID, None))
        self.assertEqual(status.expires_unix_s, issued["expires"])
        self.assertLess(status.renew_from_unix_s, status.expires_unix_s)
        await caller.publish_keys()
        await callee.publish_keys()
        await self.two_way_call(caller, callee)
        # The next start uses it again.
        await caller.shut_down()
        caller = await self.open(config, signer=signer)
        self.assertEqual(caller.credential_status().state, CredentialState.VALID)

    async def test_what_does_not_fit_is_not_installed(self):
        one, other = self.lab.number(), self.lab.number()
        signer = keys.Signer(self.lab.scalar(one))
        endpoint = await self.open(self.lab.config(one, credential=None), signer=signer)
        chain, x5u = self.lab.read(one, "chain.pem"), "https://certs.example/c.pem"
        install, malformed = endpoint.install_certificate, RingTrueError.Malformed
        await self.assert_fails(
            install(self.lab.read(other, "chain.pem"), x5u),
            RingTrueError.Untrusted,
            2022,
            "key_mismatch",
        )
        await self.assert_fails(install("", x5u), malformed, 1023, "malformed_pem")
        await self.assert_fails(
            install(chain, "http://certs.example/c.pem"), malformed, 1017, "malformed_url"
        )
        self.assertEqual(endpoint.credential_status().state, CredentialState.MISSING)
        await install(chain, x5u)
        self.assertEqual(endpoint.credential_status().state, CredentialState.VALID)

    async def test_a_request_needs_a_signer_that_works_and_a_name_without_a_number(self):
        number = self.lab.number()
        unable = RingTrueError.Unavailable
        endpoint = await self.open(self.lab.config(number, credential=None))
        await self.assert_fails(endpoint.certificate_request(), unable, 5013, "signer_failed")
        signer = keys.Failing(self.lab.scalar(number), ringtrue.HostError.Failed)
        endpoint = await self.open(self.lab.config(number, credential=None), signer=signer)
        await self.assert_fails(endpoint.certificate_request(), unable, 5013, "signer_failed")
        await self.assert_fails(
            endpoint.certificate_request("Call +1 202 555 0100"),
            RingTrueError.Misuse,
            6002,
            "configuration_invalid",
        )


class Source(ringtrue.FetchSource):
    """The application's own way to files."""

    def __init__(self):
        self.files = {}

    def get(self, kind, url, time_left_ms):
        if url not in self.files:
            raise ringtrue.FetchError.NotFound()
        return ringtrue.Delivered(octets=self.files[url].encode(), keep_ms=0)


class Trust(Scenario):
    def bundle(self, version, anchor="root.pem"):
        """A bundle by the lab's key, and the public half of that."""
        lab = self.lab.path
        key = str(lab / "ca.key")
        made = self.lab.command(
            "bundle", "sign", "--number", str(version), "--key", key, "--profile", "delegate",
            "--anchor", str(lab / anchor),
        )
        return made.strip()

    def trust(self, **members):
        return ringtrue.TrustConfig(
            bundle_url=BUNDLE_URL,
            keys_pem=[p256.public_pem(p256.scalar_from_pem(self.lab.read("ca.key")))],
            **members,
        )

    async def test_a_bundle_is_got_through_the_application_and_never_taken_back(self):
        number = self.lab.number()
        source = Source()
        config = self.lab.config(number, trust=self.trust())
        signer = ringtrue.software_signer(self.lab.read(number, "key.pem"))
        endpoint = await self.open(config, signer=signer, fetch_source=source)
        self.assertIsNone(endpoint.trust_status().version)
        await self.assert_fails(
            endpoint.update_trust(), RingTrueError.Untrusted, 2012, "credential_unavailable"
        )
        await endpoint.shut_down()
        source.files[BUNDLE_URL] = self.bundle(7)
        endpoint = await self.open(config, signer=signer, fetch_source=source)
        updated = await endpoint.update_trust()
        self.assertEqual((updated.version, updated.is_new), (7, True))
        self.assertEqual((updated.revocation_lists, names(updated.reasons)), (0, []))
        self.assertEqual(endpoint.trust_status().version, 7)
        self.assertEqual(endpoint.trust_status().expires_unix_s, updated.expires_unix_s)
        self.assertEqual(endpoint.credential_status().state, CredentialState.VALID)
        await endpoint.shut_down()
        source.files[BUNDLE_URL] = self.bundle(6)
        endpoint = await self.open(config, signer=signer, fetch_source=source)
        await self.assert_fails(
            endpoint.update_trust(), RingTrueError.Untrusted, 2033, "bundle_rollback"
        )
        self.assertEqual(endpoint.trust_status().version, 7)

    async def test_a_shipped_bundle_counts_and_fetching_can_be_switched_off(self):
        one, other = self.lab.number(), self.lab.number()
        trust = self.trust(shipped_bundle=self.bundle(3))
        caller = await self.software(one)
        signer = ringtrue.software_signer(self.lab.read(other, "key.pem"))
        config = self.lab.config(other, trust=trust, anchors_pem=[])
        callee = await self.open(config, signer=signer, fetch_source=Source())
        self.assertEqual(callee.trust_status().version, 3)
        callee.set_fetching(False)
        await self.assert_fails(
            callee.update_trust(), RingTrueError.Unavailable, 5022, "fetching_off"
        )
        await caller.publish_keys()
        await callee.publish_keys()
        await self.two_way_call(caller, callee)

    async def test_a_trust_configuration_is_checked(self):
        number = self.lab.number()
        no_keys = ringtrue.TrustConfig(bundle_url=BUNDLE_URL, keys_pem=[])
        no_key = ringtrue.TrustConfig(bundle_url=BUNDLE_URL, keys_pem=["key"])
        misuse = RingTrueError.Misuse
        await self.assert_fails(
            self.software(number, trust=no_keys), misuse, 6002, "configuration_invalid"
        )
        await self.assert_fails(
            self.software(number, trust=no_key), RingTrueError.Malformed, 1023, "malformed_pem"
        )
        endpoint = await self.software(number)
        await self.assert_fails(
            endpoint.update_trust(), misuse, 6002, "configuration_invalid"
        )


if __name__ == "__main__":
    unittest.main()
