package io.ringtrue.test

import io.ringtrue.CallPhase
import io.ringtrue.CallVerdict
import io.ringtrue.CheckName
import io.ringtrue.CheckResult
import io.ringtrue.Clock
import io.ringtrue.Endpoint
import io.ringtrue.EndpointConfig
import io.ringtrue.HostException
import io.ringtrue.HttpRequest
import io.ringtrue.HttpResponse
import io.ringtrue.KeyAgreement
import io.ringtrue.Placement
import io.ringtrue.Reason
import io.ringtrue.ReasonKind
import io.ringtrue.RingTrueException
import io.ringtrue.Role
import io.ringtrue.Signer
import io.ringtrue.Transport
import io.ringtrue.TransportException
import io.ringtrue.Verdict
import io.ringtrue.WalletName
import io.ringtrue.WalletStatus
import io.ringtrue.softwareSigner
import java.net.InetAddress
import java.net.ServerSocket
import java.net.URI
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.reflect.KClass
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** The two-way call through the Kotlin binding, against the real service. */
class TwoWayCallTest {
    private val opened = mutableListOf<Endpoint>()

    @AfterEach
    fun closeEndpoints() = opened.forEach(Endpoint::close)

    private suspend fun open(
        config: EndpointConfig,
        signer: Signer? = null,
        keyAgreement: KeyAgreement? = null,
        transport: Transport? = null,
        clock: Clock? = null,
    ): Endpoint = Endpoint.open(config, signer, keyAgreement, transport, clock).also(opened::add)

    /** An endpoint with keys in memory and in its state file. */
    private suspend fun software(number: String): Endpoint =
        open(lab.config(number), softwareSigner(lab.read(number, "key.pem")))

    private suspend fun assertFails(
        kind: KClass<out RingTrueException>,
        code: UInt,
        name: String,
        call: suspend () -> Unit,
    ) {
        try {
            call()
        } catch (e: RingTrueException) {
            assertInstanceOf(kind.java, e)
            assertEquals(code to name, e.reason().code to e.reason().name)
            assertEquals("code=$code, name=$name", e.message)
            return
        }
        fail<Unit>("no $name")
    }

    private fun assertVerified(verdict: CallVerdict, orig: String, dest: String, notices: Set<String> = setOf()) {
        assertTrue(notices.containsAll(names(verdict.reasons)), names(verdict.reasons).toString())
        assertTrue(verdict.verdict in setOf(Verdict.VERIFIED, Verdict.CONFIRMED), verdict.toString())
        assertTrue(verdict.verdict.isGood())
        assertEquals(orig to dest, verdict.orig to verdict.dest)
        assertEquals(CheckName.entries, verdict.checks.map { it.check })
        assertTrue(verdict.checks.none { it.result is CheckResult.Failed })
        assertTrue(verdict.blobs.opened in 1u..verdict.blobs.received)
    }

    /** Places, rings, answers and learns who answered. */
    private suspend fun twoWayCall(caller: Endpoint, callee: Endpoint, notices: Set<String> = setOf()) {
        val orig = caller.numbers().single()
        val dest = callee.numbers().single()
        val placed = caller.place(from = "+$orig", to = "+$dest", wantAnswer = true)
        assertEquals(Placement.STORED to listOf("keys_just_in_time"), placed.placement to names(placed.reasons))
        assertEquals(Triple(orig, dest, 1u), Triple(placed.orig, placed.dest, placed.copies))
        val call = callee.ring(from = orig, to = dest)
        assertVerified(call.verdict(), orig, dest, notices)
        val answered = callee.answer(call, CallPhase.ANSWERED)
        assertTrue(answered.sent)
        // The last look has one second, which is short on a busy machine.
        assertTrue(setOf("deadline_passed").containsAll(names(answered.reasons)), names(answered.reasons).toString())
        val outcome = caller.awaitAnswer(checkNotNull(placed.answer), deadlineMs = 30_000u)
        assertVerified(outcome.verdict, orig, dest)
        assertEquals(CallPhase.ANSWERED, outcome.state?.phase)
        placed.destroy()
        call.close()
    }

    @Test
    fun `both sides are verified in both directions`() = runBlocking {
        val one = lab.number()
        val other = lab.number()
        val signer = JavaSigner(lab, one)
        val agreement = JavaKeyAgreement()
        val phone = open(lab.config(one), signer, agreement)
        val desk = open(lab.config(other), DigestSigner(lab, other))
        for ((endpoint, number) in listOf(phone to one, desk to other)) {
            val published = endpoint.publishKeys()
            assertEquals(listOf(number), published.numbers)
            assertTrue(published.rotated)
            assertTrue(published.expUnixS.toLong() * 1000 > System.currentTimeMillis() + 3_600_000)
        }
        twoWayCall(phone, desk)
        // The answer of the first call is still in the mailbox, and may be met first.
        twoWayCall(desk, phone, notices = setOf("unexpected_rsp"))
        // Foreign keys did the work, and not on the thread that waits.
        assertFalse(signer.threads.isEmpty() || agreement.threads.isEmpty())
        assertFalse(Thread.currentThread() in signer.threads + agreement.threads)
    }

    @Test
    fun `an endpoint may be used by many coroutines at once`() = runBlocking(Dispatchers.Default) {
        val callee = software(lab.number()).also { it.publishKeys() }
        val dest = callee.numbers().single()
        val callers = List(4) { software(lab.number()) }
        val verdicts = callers.map { caller ->
            async {
                caller.place(caller.numbers().single(), dest)
                callee.ring(caller.numbers().single()).use { it.verdict().verdict }
            }
        }
        assertTrue(verdicts.all { it.await().isGood() })
    }

    @Test
    fun `an impostor without announcement is not verified`() = runBlocking {
        val callee = software(lab.number()).also { it.publishKeys() }
        val call = callee.ring(lab.number())
        assertEquals(Verdict.NO_RECORD, call.verdict().verdict)
        assertFalse(call.verdict().verdict.isGood())
        assertFails(RingTrueException.Misuse::class, 6003u, "not_verified") {
            callee.answer(call, CallPhase.ANSWERED)
        }
    }

    @Test
    fun `a credential of another number announces nothing`() = runBlocking {
        val victim = lab.number()
        val own = lab.number()
        val impostor = open(lab.config(victim, credentialOf = own), JavaSigner(lab, own))
        val callee = software(lab.number()).also { it.publishKeys() }
        val placed = impostor.place(victim, callee.numbers().single())
        assertEquals(Placement.UNPROTECTED, placed.placement)
        assertTrue("number_not_covered" in names(placed.reasons))
        assertEquals(Verdict.NO_RECORD, callee.ring(victim).verdict().verdict)
    }

    @Test
    fun `an announcement is good for one call`() = runBlocking {
        val caller = software(lab.number())
        val callee = software(lab.number()).also { it.publishKeys() }
        val orig = caller.numbers().single()
        caller.place(orig, callee.numbers().single())
        val first = callee.ring(orig)
        assertTrue(first.verdict().verdict.isGood())
        // Two that ring at once would be conflicting.
        first.ended()
        val verdict = callee.ring(orig).verdict()
        assertEquals(Verdict.REFUSED, verdict.verdict)
        val failed = verdict.checks.single { it.result is CheckResult.Failed }
        assertEquals(CheckName.REPLAY, failed.check)
        val reason = (failed.result as CheckResult.Failed).reason
        assertEquals(Triple(3003u, "replayed", ReasonKind.MISMATCH), Triple(reason.code, reason.name, reason.kind))
    }

    @Test
    fun `errors tell who has to act`() = runBlocking {
        val one = lab.number()
        val other = lab.number()
        val signer = JavaSigner(lab, one)
        assertFails(RingTrueException.Untrusted::class, 2022u, "key_mismatch") {
            open(lab.config(one), JavaSigner(lab, other))
        }
        assertFails(RingTrueException.Misuse::class, 6002u, "configuration_invalid") {
            open(lab.config(one, anchorsPem = listOf()), signer)
        }
        assertFails(RingTrueException.Malformed::class, 1017u, "malformed_url") {
            open(lab.config(one, services = listOf("http://cps.example")), signer)
        }
        assertFails(RingTrueException.Untrusted::class, 2025u, "chain_incomplete") {
            open(lab.config(one, anchorsPem = listOf(lab.read("tls-root.pem"))), signer)
        }
        assertFails(RingTrueException.Malformed::class, 1023u, "malformed_pem") { softwareSigner("no key") }
        val endpoint = open(lab.config(one), signer)
        assertFails(RingTrueException.Malformed::class, 1001u, "malformed_number") { endpoint.place(one, "bob") }
        assertFails(RingTrueException.Misuse::class, 6001u, "number_not_owned") { endpoint.place(other, one) }
        assertFails(RingTrueException.Unavailable::class, 5011u, "no_usable_key") { endpoint.prefetchKeys(other) }
        val e = assertThrows<RingTrueException.Malformed> { endpoint.readNumber("bob") }
        assertEquals(1001u to "malformed_number", e.code to e.name)
    }

    @Test
    fun `both sides see the same call`() = runBlocking {
        val caller = software(lab.number()).also { it.publishKeys() }
        val callee = software(lab.number()).also { it.publishKeys() }
        val orig = caller.numbers().single()
        val dest = callee.numbers().single()
        // Where requests take long, the clocks leave too much open, and a call says so. Then the next one has
        // to do.
        repeat(40) {
            val outgoing = caller.outgoing(caller.place(orig, dest, wantAnswer = true).call)
            assertEquals(Verdict.NO_RECORD, outgoing.outcome().verdict.verdict)
            val ringing = callee.ring(orig, dest)
            outgoing.answered()
            assertTrue(callee.answer(ringing, CallPhase.ANSWERED).sent)
            val agreed = withTimeoutOrNull(12_000) {
                while (outgoing.outcome().verdict.verdict != Verdict.CONFIRMED) assertNotNull(outgoing.changed())
                while (ringing.verdict().verdict != Verdict.CONFIRMED) assertNotNull(ringing.changed())
            }
            val told = listOf(outgoing.outcome().verdict, ringing.verdict())
            val phase = outgoing.outcome().state?.phase
            ringing.ended()
            outgoing.ended()
            do { val news = outgoing.changed() } while (news != null)
            if (agreed != null) {
                assertEquals(CallPhase.ANSWERED, phase)
                return@runBlocking
            }
            for (verdict in told.filter { it.verdict != Verdict.CONFIRMED }) {
                assertEquals(Verdict.VERIFIED, verdict.verdict)
                assertTrue("clock_uncertain" in names(verdict.reasons))
            }
        }
        fail<Unit>("never confirmed")
    }

    @Test
    fun `wallets are named and checked`() = runBlocking {
        val number = lab.number()
        val issuer = URI(lab.baseUrl).authority
        val endpoint = open(lab.config(number).copy(tokenIssuer = issuer, tokenStock = 20u), JavaSigner(lab, number))
        val name = WalletName(issuer, "cps.example")
        assertEquals(WalletStatus(name, 0u, null), endpoint.walletStatus(name))
        assertEquals(listOf<WalletName>(), endpoint.wallets())
        assertEquals(0u, endpoint.refillTokens(name).added)
        assertFails(RingTrueException.Malformed::class, 1017u, "malformed_url") {
            endpoint.walletStatus(WalletName("no authority/", "cps.example"))
        }
    }

    @Test
    fun `a signer that throws is named`() = runBlocking {
        val callee = software(lab.number()).also { it.publishKeys() }
        for (fault in listOf({ HostException.Failed() }, { IllegalStateException("locked") })) {
            val number = lab.number()
            val endpoint = open(lab.config(number), ThrowingSigner(lab, number, fault))
            assertFails(RingTrueException.Unavailable::class, 5013u, "signer_failed") { endpoint.publishKeys() }
            val placed = endpoint.place(number, callee.numbers().single())
            assertEquals(Placement.UNPROTECTED, placed.placement)
            assertTrue("signer_failed" in names(placed.reasons))
        }
    }

    @Test
    fun `a signer that hashes twice is noticed`() = runBlocking {
        val number = lab.number()
        val endpoint = open(lab.config(number), TwiceHashingSigner(lab, number))
        assertFails(RingTrueException.Unavailable::class, 5013u, "signer_failed") { endpoint.publishKeys() }
    }

    @Test
    fun `a key agreement that throws opens nothing`() = runBlocking {
        val caller = software(lab.number())
        val number = lab.number()
        val locked = object : JavaKeyAgreement() {
            override fun agree(peer: ByteArray): ByteArray = throw HostException.Failed()
        }
        val callee = open(lab.config(number), JavaSigner(lab, number), locked)
        callee.publishKeys()
        caller.place(caller.numbers().single(), number)
        val verdict = callee.ring(caller.numbers().single()).verdict()
        assertFalse(verdict.verdict.isGood())
        assertTrue("key_agreement_failed" in names(verdict.reasons))
    }

    @Test
    fun `a transport that throws is named`() = runBlocking {
        val number = lab.number()
        for ((fault, code, name) in listOf(
            Triple({ TransportException.TlsFailed() }, 5003u, "tls_failed"),
            Triple({ IllegalStateException("no network") }, 5002u, "service_unreachable"),
        )) {
            val transport = object : Transport {
                override fun execute(
                    role: Role,
                    request: HttpRequest,
                    maxAnswerOctets: ULong,
                    timeLeftMs: ULong,
                ): HttpResponse = throw fault()
            }
            val endpoint = open(lab.config(number), JavaSigner(lab, number), transport = transport)
            assertFails(RingTrueException.Unavailable::class, code, name) { endpoint.publishKeys() }
        }
    }

    @Test
    fun `without a clock nothing is verified`() = runBlocking {
        val number = lab.number()
        for (says in listOf<() -> ULong?>({ null }, { 0u }, { throw IllegalStateException("no clock") })) {
            val clock = object : Clock {
                override fun nowUnixMs(): ULong? = says()
            }
            val endpoint = open(lab.config(number), JavaSigner(lab, number), clock = clock)
            assertEquals(Verdict.CLOCK_UNSET, endpoint.ring(lab.number()).verdict().verdict)
        }
    }

    @Test
    fun `a deadline holds whatever the service does`() = runBlocking {
        Silence().use { silence ->
            val number = lab.number()
            val endpoint = open(lab.config(number, services = listOf(silence.baseUrl)), JavaSigner(lab, number))
            val placed = endpoint.place(number, lab.number(), deadlineMs = 300u)
            assertEquals(Placement.UNPROTECTED, placed.placement)
            assertEquals("deadline_passed", names(placed.reasons).first())
            assertEquals(Verdict.UNAVAILABLE, endpoint.ring(lab.number(), deadlineMs = 300u).verdict().verdict)
        }
    }

    @Test
    fun `cancelling stops the work and the next call works`() = runBlocking {
        val callee = software(lab.number()).also { it.publishKeys() }
        val dest = callee.numbers().single()
        val number = lab.number()
        Silence().use { silence ->
            val config = lab.config(number, directory = silence.baseUrl, placement = lab.baseUrl)
            val endpoint = open(config, JavaSigner(lab, number))
            val job = launch { endpoint.place(number, dest, deadlineMs = 600_000u) }
            silence.awaitConnection()
            job.cancelAndJoin()
            assertTrue(job.isCancelled)
            // The connection is gone, so the work is.
            silence.awaitEnd()
            assertEquals(dest, endpoint.readNumber("+$dest"))
            val placed = endpoint.place(number, dest, deadlineMs = 300u)
            assertEquals(Placement.UNPROTECTED, placed.placement)
        }
    }

    @Test
    fun `shutting down ends what runs and what comes later`() = runBlocking {
        Silence().use { silence ->
            val number = lab.number()
            val endpoint = open(lab.config(number, services = listOf(silence.baseUrl)), JavaSigner(lab, number))
            val job = async {
                assertFails(RingTrueException.Unavailable::class, 5019u, "cancelled") {
                    endpoint.publishKeys(deadlineMs = 600_000u)
                }
            }
            silence.awaitConnection()
            endpoint.shutDown()
            job.await()
            silence.awaitEnd()
            assertFails(RingTrueException.Unavailable::class, 5019u, "cancelled") { endpoint.rotateKeys() }
            endpoint.shutDown()
            endpoint.close()
            endpoint.close()
            assertThrows<IllegalStateException> { endpoint.numbers() }
            Unit
        }
    }

    @Test
    fun `text of records holds no number`() = runBlocking {
        val caller = software(lab.number())
        val callee = software(lab.number())
        val published = callee.publishKeys()
        val orig = caller.numbers().single()
        val dest = callee.numbers().single()
        val placed = caller.place(orig, dest)
        assertNull(placed.answer)
        val call = callee.ring(orig, dest)
        assertNotNull(call.verdict().orig)
        for (value in listOf(lab.config(orig), published, placed, call, call.verdict(), callee)) {
            assertFalse(orig in value.toString() || dest in value.toString())
        }
        assertEquals("Placed(stored)", placed.toString())
    }

    private companion object {
        lateinit var lab: Lab

        @JvmStatic
        @BeforeAll
        fun openLab() {
            lab = Lab()
        }

        @JvmStatic
        @AfterAll
        fun closeLab() = lab.close()

        fun names(reasons: List<Reason>): List<String> = reasons.map { it.name }
    }
}

/** A server that takes connections and says nothing. */
private class Silence : AutoCloseable {
    private val socket = ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))
    private val connected = CountDownLatch(1)
    private val ended = CountDownLatch(1)
    val baseUrl: String = "https://127.0.0.1:${socket.localPort}"

    init {
        thread(isDaemon = true) {
            while (true) {
                val connection = runCatching { socket.accept() }.getOrNull() ?: break
                connected.countDown()
                connection.use { runCatching { it.getInputStream().readAllBytes() } }
                ended.countDown()
            }
        }
    }

    suspend fun awaitConnection() = await(connected)

    suspend fun awaitEnd() = await(ended)

    private suspend fun await(latch: CountDownLatch) = withContext(Dispatchers.IO) {
        assertTrue(latch.await(60, TimeUnit.SECONDS))
    }

    override fun close() = socket.close()
}
