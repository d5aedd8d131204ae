package io.ringtrue.test

import io.ringtrue.CredentialState
import io.ringtrue.Delivered
import io.ringtrue.Endpoint
import io.ringtrue.EndpointConfig
import io.ringtrue.FetchException
import io.ringtrue.FetchKind
import io.ringtrue.FetchSource
import io.ringtrue.Placement
import io.ringtrue.RingTrueException
import io.ringtrue.Signer
import io.ringtrue.TrustConfig
import java.io.File
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test

/** The device's own credential, from a key to a verified call, and whom the endpoint believes. */
class CredentialAndTrustTest {
    private val opened = mutableListOf<Endpoint>()

    @AfterEach
    fun closeEndpoints() = opened.forEach(Endpoint::close)

    private suspend fun open(
        config: EndpointConfig,
        signer: Signer,
        fetchSource: FetchSource? = null,
    ): Endpoint = Endpoint.open(config, signer, fetchSource = fetchSource).also(opened::add)

    private suspend fun assertFails(name: String, call: suspend () -> Unit) {
        try {
            call()
        } catch (e: RingTrueException) {
            assertEquals(name, e.reason().name)
            return
        }
        fail<Unit>("no $name")
    }

    @Test
    fun `a key becomes a credential and its calls are verified`() = runBlocking {
        val number = lab.number()
        val config = lab.config(number, hasCredential = false)
        val signer = JavaSigner(lab, number)
        val caller = open(config, signer)
        assertEquals(CredentialState.MISSING, caller.credentialStatus().state)
        val request = caller.certificateRequest(name = "Front desk")
        assertTrue(request.startsWith("-----BEGIN CERTIFICATE REQUEST-----"))
        val csr = lab.path("$number.csr").also { File(it).writeText(request) }
        val chain = lab.command("lab", "issue", lab.path(""), "--csr", csr)
        caller.installCertificate(chain, "https://certs.example/$number.pem")
        val status = caller.credentialStatus()
        assertEquals(CredentialState.VALID, status.state)
        assertNull(status.reason)
        assertTrue(checkNotNull(status.renewFromUnixS) < checkNotNull(status.expiresUnixS))

        val dest = lab.number()
        val callee = open(lab.config(dest), JavaSigner(lab, dest)).also { it.publishKeys() }
        assertEquals(Placement.STORED, caller.place(number, dest).placement)
        assertTrue(callee.ring(number).use { it.verdict().verdict.isGood() })
        // The next start uses it again.
        assertEquals(CredentialState.VALID, open(config, signer).credentialStatus().state)
    }

    @Test
    fun `what does not fit is not installed`() = runBlocking {
        val number = lab.number()
        val endpoint = open(lab.config(number, hasCredential = false), JavaSigner(lab, number))
        val x5u = "https://certs.example/c.pem"
        assertFails("key_mismatch") { endpoint.installCertificate(lab.read(lab.number(), "chain.pem"), x5u) }
        assertFails("malformed_pem") { endpoint.installCertificate("", x5u) }
        assertFails("malformed_url") {
            endpoint.installCertificate(lab.read(number, "chain.pem"), "http://certs.example/c.pem")
        }
        assertFails("configuration_invalid") { endpoint.certificateRequest("Call +1 202 555 0100") }
        assertEquals(CredentialState.MISSING, endpoint.credentialStatus().state)
    }

    @Test
    fun `a signer that fails makes no request`() = runBlocking {
        val number = lab.number()
        val signer = ThrowingSigner(lab, number) { IllegalStateException("locked") }
        val endpoint = open(lab.config(number, hasCredential = false), signer)
        assertFails("signer_failed") { endpoint.certificateRequest() }
    }

    /** A bundle of the laboratory, by the key of its intermediate. */
    private fun bundle(version: Int): String = lab.command(
        "bundle", "sign", "--number", "$version", "--key", lab.path("ca.key"),
        "--anchor", lab.path("root.pem"), "--profile", "delegate",
    ).trim()

    private fun trust(shipped: String? = null) = TrustConfig(
        bundleUrl = BUNDLE_URL,
        keysPem = listOf(publicPem(lab.read("ca.key"))),
        shippedBundle = shipped,
    )

    @Test
    fun `a bundle is got through the application and never taken back`() = runBlocking {
        val number = lab.number()
        val signer = JavaSigner(lab, number)
        val config = lab.config(number, trust = trust())
        val source = Source()
        source.files[BUNDLE_URL] = bundle(7)
        val endpoint = open(config, signer, source)
        assertNull(endpoint.trustStatus().version)
        val updated = endpoint.updateTrust()
        assertEquals(7uL to true, updated.version to updated.isNew)
        assertEquals(7uL, endpoint.trustStatus().version)
        assertEquals(CredentialState.VALID, endpoint.credentialStatus().state)
        source.files[BUNDLE_URL] = bundle(6)
        val restarted = open(config, signer, source)
        assertFails("bundle_rollback") { restarted.updateTrust() }
        assertEquals(7uL, restarted.trustStatus().version)
    }

    @Test
    fun `a shipped bundle counts and fetching can be switched off`() = runBlocking {
        val number = lab.number()
        val endpoint = open(lab.config(number, trust = trust(bundle(3))), JavaSigner(lab, number), Source())
        assertEquals(3uL, endpoint.trustStatus().version)
        endpoint.setFetching(false)
        assertFails("fetching_off") { endpoint.updateTrust() }
        endpoint.setFetching(true)
        assertFails("credential_unavailable") { endpoint.updateTrust() }
        assertFalse(BUNDLE_URL in endpoint.toString())
    }

    @Test
    fun `without a trust configuration there is no update`() = runBlocking {
        val number = lab.number()
        val endpoint = open(lab.config(number), JavaSigner(lab, number))
        assertFails("configuration_invalid") { endpoint.updateTrust() }
    }

    /** The application's own way to files. */
    private class Source : FetchSource {
        val files = ConcurrentHashMap<String, String>()

        override fun get(kind: FetchKind, url: String, timeLeftMs: ULong): Delivered {
            val file = files[url] ?: throw FetchException.NotFound()
            return Delivered(octets = file.toByteArray(), keepMs = 0u)
        }
    }

    private companion object {
        const val BUNDLE_URL = "https://trust.example/bundle.jwt"

        lateinit var lab: Lab

        @JvmStatic
        @BeforeAll
        fun openLab() {
            lab = Lab()
        }

        @JvmStatic
        @AfterAll
        fun closeLab() = lab.close()
    }
}
