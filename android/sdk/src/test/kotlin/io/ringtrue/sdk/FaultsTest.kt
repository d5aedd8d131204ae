package io.ringtrue.sdk

import io.ringtrue.testing.WithLab
import io.ringtrue.testing.assertFails
import io.ringtrue.testing.awaitOpen
import io.ringtrue.testing.config
import io.ringtrue.testing.names
import java.lang.reflect.Proxy
import java.security.KeyPairGenerator
import java.util.Base64
import java.util.concurrent.CountDownLatch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Keys, transport and clock of the application's that fail: each gives a reason, none an end. */
internal class FaultsTest : WithLab() {
    /** A key that does as it is told. */
    private class Signing(
        private val good: SigningKey,
        var point: () -> ByteArray = good::publicKey,
        var signs: (ByteArray, ByteArray) -> DeviceSignature = good::sign,
    ) : SigningKey {
        override val protection get() = KeyProtection.TEE

        override fun publicKey() = point()

        override fun sign(message: ByteArray, digest: ByteArray) = signs(message, digest)
    }

    private class Agreeing(
        private val good: AgreementKey,
        var point: () -> ByteArray = good::publicKey,
        var agrees: (ByteArray) -> ByteArray = good::agree,
    ) : AgreementKey {
        override val protection get() = KeyProtection.STRONGBOX

        override fun publicKey() = point()

        override fun agree(peer: ByteArray) = agrees(peer)
    }

    private class Keys(override val signing: SigningKey, override val agreement: AgreementKey? = null) : DeviceKeys

    private fun signing(number: String) = Signing(SoftwareKeys(lab.read(number, "key.pem")).signing)

    private fun agreeing() = Agreeing(checkNotNull(SoftwareKeys("", lab.read(lab.number(), "key.pem")).agreement))

    /** As Java can implement an interface: every method gives null. */
    private inline fun <reified T> givingNull(): T =
        Proxy.newProxyInstance(T::class.java.classLoader, arrayOf(T::class.java)) { _, _, _ -> null } as T

    private val faults = listOf(IllegalStateException("locked"), StackOverflowError(), OutOfMemoryError(), Exception())

    @Test
    fun `a signing key that throws or signs nothing good is named and the next call works`() = runBlocking {
        val number = lab.number()
        val key = signing(number)
        val good = key.signs
        val phone = phone(number, keys = Keys(key))
        val callee = reachable().numbers.single()
        val bad = faults.map { "signer_failed" to { throw it } } +
            listOf(0, 63, 64, 65, 100_000).map { "malformed_signature" to { DeviceSignature.Raw(ByteArray(it)) } } +
            listOf(0, 1, 70, 100_000).map { "malformed_signature" to { DeviceSignature.Der(ByteArray(it) { 0x30 }) } }
        for ((name, signature) in bad) {
            key.signs = { _, _ -> signature() }
            assertFails(name) { phone.publishKeys() }
            phone.place(number, callee).use {
                assertEquals(Placement.UNPROTECTED, it.placement)
                assertTrue(name in names(it.reasons), names(it.reasons).toString())
            }
        }
        // Of another key, and over something else.
        key.signs = signing(lab.number()).signs
        assertFails("signer_failed") { phone.publishKeys() }
        key.signs = { _, digest -> good(digest, digest) }
        assertFails("signer_failed") { phone.publishKeys() }
        key.signs = good
        assertEquals(listOf(number), phone.publishKeys().numbers)
        assertEquals(KeyProtection.SOFTWARE, phone.protection)
    }

    @Test
    fun `a key that does not say who it is opens no client`() = runBlocking {
        val number = lab.number()
        val key = signing(number)
        for (fault in faults) {
            key.point = { throw fault }
            assertFails("signer_failed") { phone(number, keys = Keys(key)) }
        }
        for (size in listOf(0, 64, 65, 66, 100_000)) {
            key.point = { ByteArray(size) { 4 } }
            assertFails("malformed_key") { phone(number, keys = Keys(key)) }
        }
        key.point = signing(lab.number()).point
        assertFails("key_mismatch") { phone(number, keys = Keys(key)) }
        assertFails("signer_failed") { phone(number, keys = Keys(givingNull())) }
        assertFails("key_agreement_failed") { phone(number, keys = Keys(signing(number), givingNull())) }
    }

    @Test
    fun `a key for agreement that fails opens nothing and is named`() = runBlocking {
        val bad = faults.map { fault -> { throw fault } } + { ByteArray(32) } +
            listOf(0, 33, 100_000).map { { ByteArray(it) { 0x42 } } }
        val number = lab.number()
        val key = agreeing()
        val good = key.agrees
        val callee = phone(number, keys = Keys(signing(number), key))
        for (agreed in bad) {
            key.agrees = good
            val orig = announced(callee)
            key.agrees = { agreed() }
            val verdict = callee.ring(orig).use { it.verdict }
            assertFalse(verdict is Verdict.Good)
            assertEquals(0, verdict.evidence.blobsOpened)
            assertTrue("key_agreement_failed" in names(verdict.reasons), names(verdict.reasons).toString())
        }
        // Another secret opens nothing; what is shorter counts as without its leading zeros, and is one too.
        for (size in listOf(32, 31, 1)) {
            key.agrees = good
            val orig = announced(callee)
            key.agrees = { ByteArray(size) { 0x42 } }
            val verdict = callee.ring(orig).use { it.verdict }
            assertTrue(verdict is Verdict.NoRecord, verdict.name)
            assertTrue(verdict.evidence.blobsReceived > 0)
            assertEquals(0, verdict.evidence.blobsOpened)
            assertEquals(listOf<String>(), names(verdict.reasons))
        }
        key.agrees = good
        assertTrue(callee.ring(announced(callee)).use { it.verdict } is Verdict.Verified)
    }

    @Test
    fun `keys that block are not waited for`() = runBlocking {
        val released = CountDownLatch(1)
        val number = lab.number()
        val signer = signing(number)
        val agreement = agreeing()
        val (signs, agrees) = signer.signs to agreement.agrees
        val phone = phone(number, keys = Keys(signer, agreement))
        val orig = announced(phone)
        val reached = reachable().numbers.single()
        signer.signs = { message, digest -> released.await(); signs(message, digest) }
        agreement.agrees = { peer -> released.await(); agrees(peer) }
        assertFails("deadline_passed") { phone.rotateKeys(deadline = 500.milliseconds) }
        val placed = phone.place(number, reached, deadline = 500.milliseconds)
        assertEquals(Placement.UNPROTECTED, placed.placement)
        val verdict = phone.ring(orig, deadline = 2000.milliseconds).use { it.verdict }
        assertFalse(verdict is Verdict.Good)
        assertTrue("deadline_passed" in names(verdict.reasons), names(verdict.reasons).toString())
        // It ends although they are being asked.
        phone.shutDown()
        assertFails("cancelled") { phone.publishKeys() }
        released.countDown()
    }

    private fun transport(answer: (HttpRequest, Long) -> HttpResponse) =
        Transport { _, request, maxAnswerOctets, _ -> answer(request, maxAnswerOctets) }

    @Test
    fun `a transport that fails or answers beyond reason is a service that does not answer`() = runBlocking {
        val number = lab.number()
        val answers = faults.map { fault -> transport { _, _ -> throw fault } } +
            listOf(-1, 0, 99, 1000, Int.MAX_VALUE, Int.MIN_VALUE).map { status ->
                transport { _, _ -> HttpResponse(status, listOf(), ByteArray(0)) }
            } +
            transport { _, most -> HttpResponse(200, listOf(), ByteArray(most.toInt() + 1)) } +
            transport { _, _ -> HttpResponse(200, List(10_000) { HttpHeader("x\r\ny", "\u0000") }, ByteArray(9)) } +
            givingNull<Transport>()
        for (answer in answers) {
            val phone = phone(number, transport = answer)
            var named: Reason? = null
            try {
                phone.publishKeys()
            } catch (e: RingTrueException) {
                named = e.reason
            }
            assertTrue(named?.code in 1000..5999, "$named")
            assertEquals(Placement.UNPROTECTED, phone.place(number, SOMEBODY).placement)
            assertFalse(phone.ring(SOMEBODY, deadline = 300.milliseconds).use { it.verdict } is Verdict.Good)
            phone.shutDown()
        }
    }

    @Test
    fun `a transport that blocks is not waited for`() = runBlocking {
        val entered = CountDownLatch(1)
        val released = CountDownLatch(1)
        val phone = phone(transport = transport { _, _ -> entered.countDown(); released.await(); throw Exception() })
        assertFails("deadline_passed") { phone.publishKeys(deadline = 300.milliseconds) }
        entered.awaitOpen()
        assertTrue(phone.ring(lab.number(), deadline = 300.milliseconds).verdict is Verdict.Unavailable)
        phone.shutDown()
        released.countDown()
    }

    @Test
    fun `a clock that is not set judges nothing`() = runBlocking {
        val says = faults.map { fault -> Clock { throw fault } } + Clock { null } + Clock { -1 } +
            Clock { Long.MIN_VALUE } + Clock { 0 } + givingNull<Clock>()
        val number = lab.number()
        for (clock in says) {
            val phone = phone(number, clock = clock)
            assertFails("clock_unset") { phone.publishKeys() }
            assertTrue(phone.ring(SOMEBODY).use { it.verdict } is Verdict.ClockUnset)
            phone.shutDown()
        }
        // At the end of time nothing is current.
        assertFails("certificate_expired") { phone(number, clock = { Long.MAX_VALUE }) }
    }

    @Test
    fun `what cannot be fetched is named`() = runBlocking {
        val number = lab.number()
        val public = KeyPairGenerator.getInstance("EC", "SunEC").apply { initialize(256) }.generateKeyPair().public.encoded
        val pem = "-----BEGIN PUBLIC KEY-----\n${Base64.getEncoder().encodeToString(public)}\n-----END PUBLIC KEY-----\n"
        val trust = TrustConfig("https://trust.example/bundle", listOf(pem))
        val config = lab.config(number).copy(trust = trust)
        val sources = faults.map { fault -> FetchSource { _, _, _ -> throw fault } } +
            FetchSource { _, _, _ -> Delivered(ByteArray(0)) } +
            FetchSource { _, _, _ -> Delivered(ByteArray(10_000_000), keep = (-5).minutes) } +
            FetchSource { _, _, _ -> Delivered(ByteArray(10), keep = Duration.INFINITE) } +
            givingNull<FetchSource>()
        for (source in sources) {
            val phone = phone(number, config, fetchSource = source)
            var named: Reason? = null
            try {
                phone.updateTrust()
            } catch (e: RingTrueException) {
                named = e.reason
            }
            assertTrue(named?.code in 1000..5999, "$named")
            phone.shutDown()
        }
    }

    private companion object {
        /** Of no laboratory. */
        const val SOMEBODY = "12025559999"
    }
}
