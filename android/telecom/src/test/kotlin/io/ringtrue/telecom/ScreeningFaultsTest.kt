package io.ringtrue.telecom

import io.ringtrue.framework.Line
import io.ringtrue.framework.Silence
import io.ringtrue.sdk.AgreementKey
import io.ringtrue.sdk.Clock
import io.ringtrue.sdk.DeviceKeys
import io.ringtrue.sdk.KeyProtection
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.SoftwareKeys
import io.ringtrue.sdk.StateStore
import io.ringtrue.sdk.Transport
import io.ringtrue.sdk.Verdict
import io.ringtrue.testing.config
import io.ringtrue.testing.keys
import java.time.Instant
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Delayed
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/**
 * Whatever fails or hangs, the system is answered once, by the deadline, and the call rings. What hangs does so
 * until after the answer: no test measures time.
 */
internal class ScreeningFaultsTest : WithMainThread() {
    private val silence = Silence()
    private val line = Line(lab)

    /** Opened when the test is over, for what hangs until then. */
    @Volatile
    private var over = CountDownLatch(1)

    @AfterEach
    fun release() {
        over.countDown()
        over = CountDownLatch(1)
    }

    @AfterAll
    fun closeServers() {
        silence.close()
        line.close()
    }

    private fun hang(): Nothing {
        over.await()
        error("late")
    }

    /** Keys as usual, and one for agreement that does as it is told. */
    private inner class Keys(number: String, private val agrees: (AgreementKey, ByteArray) -> ByteArray) : DeviceKeys {
        override val signing = lab.keys(number).signing
        override val agreement: AgreementKey = object : AgreementKey {
            private val good = checkNotNull(SoftwareKeys("", lab.read(number, "key.pem")).agreement)
            override val protection get() = KeyProtection.STRONGBOX

            override fun publicKey() = good.publicKey()

            override fun agree(peer: ByteArray) = agrees(good, peer)
        }
    }

    /** A store that works until it [breaks]. */
    private class Store(private val breaks: () -> Unit) : StateStore {
        private val records = mutableMapOf<String, ByteArray>()

        @Volatile
        var isBroken = false

        private inline fun <T> checked(what: () -> T): T {
            if (isBroken) breaks()
            return synchronized(this, what)
        }

        override fun load(name: String) = checked { records[name] }

        override fun save(name: String, expected: ByteArray?, value: ByteArray) = checked {
            records[name].contentEquals(expected).also { if (it) records[name] = value }
        }

        override fun claim(name: String, expires: Instant, now: Instant) = checked { true }
    }

    private suspend fun withStore(breaks: () -> Unit): Pair<RingTrue, String> {
        val number = lab.number()
        val store = Store(breaks)
        val config = lab.config(number).copy(stateFile = null, stateKey = ByteArray(32))
        val callee = phone(number, config, store = store)
        val orig = announced(callee)
        store.isBroken = true
        return callee to orig
    }

    private suspend fun withKey(agrees: (AgreementKey, ByteArray) -> ByteArray): Pair<RingTrue, String> {
        val number = lab.number()
        val callee = phone(number, keys = Keys(number, agrees))
        return callee to announced(callee)
    }

    private suspend fun asking(service: String) = lab.number().let { phone(it, lab.config(it, listOf(service))) to CALLER }

    private suspend fun losing(loss: Line.Loss): Pair<RingTrue, String> {
        line.lose(loss)
        return asking(line.baseUrl())
    }

    /** By what fails: a client, and who calls. */
    private val faults: Map<String, suspend () -> Pair<RingTrue, String>> = mapOf(
        "a service that says nothing" to { asking(silence.baseUrl()) },
        "no network" to { asking("https://127.0.0.1:1") },
        "a network that is lost after the request" to { losing(Line.Loss.AFTER_REQUEST) },
        "a network that is lost within the answer" to { losing(Line.Loss.WITHIN_ANSWER) },
        "a transport that throws" to { phone(transport = Transport { _, _, _, _ -> throw StackOverflowError() }) to CALLER },
        "a transport that hangs" to { phone(transport = Transport { _, _, _, _ -> hang() }) to CALLER },
        "a clock that is not set" to { phone(clock = Clock { null }) to CALLER },
        "a key that throws" to { withKey { _, _ -> throw IllegalStateException("locked") } },
        "a key that gives another length" to { withKey { _, _ -> ByteArray(33) { 0x42 } } },
        "a key that gives another secret" to { withKey { _, _ -> ByteArray(32) { 0x42 } } },
        "a key that hangs" to { withKey { _, _ -> hang() } },
        "a store that throws" to { withStore { throw OutOfMemoryError() } },
        "a store that hangs" to { withStore { hang() } },
        "a client that was closed" to { phone().also { it.shutDown() } to CALLER },
    )

    @TestFactory
    fun `the call rings in time with`(): List<DynamicTest> = faults.map { (name, client) ->
        dynamicTest(name) {
            runBlocking {
                val (callee, orig) = client()
                val policy = { _: ScreenedCall, verdict: Verdict ->
                    if (verdict is Verdict.Refused) Screening.Silence else Screening.Allow
                }
                val screening = TestScreening(deadline = 800.milliseconds, policy = policy) { callee }
                screening.system.rings(orig)
                screening.system.answer().assertAllowed()
                val verdict = screening.verdict()
                assertFalse(verdict is Verdict.Good || verdict is Verdict.Refused, verdict.name)
                screening.assertNoMore()
                callee.close()
            }
        }
    }

    @TestFactory
    fun `the call rings with a client that cannot be had`(): List<DynamicTest> = listOf(
        IllegalStateException("no"), UnsatisfiedLinkError("no library"), OutOfMemoryError(),
    ).map { fault ->
        dynamicTest(fault.javaClass.simpleName) {
            val screening = TestScreening(policy = { _, _ -> Screening.Allow }) { throw fault }
            screening.system.rings(CALLER)
            screening.system.answer().assertAllowed()
            assertTrue(screening.verdict() is Verdict.Unavailable)
            screening.assertNoMore()
        }
    }

    @TestFactory
    fun `the call rings with a client that is never there`(): List<DynamicTest> = mapOf<String, suspend () -> RingTrue>(
        "waiting" to { awaitCancellation() },
        "blocking" to { hang() },
    ).map { (name, opens) ->
        dynamicTest(name) {
            val screening = TestScreening(deadline = 300.milliseconds, opens = opens)
            screening.system.rings(CALLER)
            screening.system.answer().assertAllowed()
            screening.assertNoMore()
        }
    }

    @Test
    fun `more hanging calls than there are workers are all allowed`() {
        val screening = TestScreening(deadline = 500.milliseconds) { hang() }
        val ids = List(80) { screening.system.rings("1202555${1000 + it}") }
        val answered = List(80) { screening.system.answer().also(Answer::assertAllowed).id }
        assertEquals(ids.toSet(), answered.toSet())
        screening.assertNoMore()
    }

    /** How long until the call that is being screened is answered at the latest. */
    private fun untilAnswered(deadline: Duration?, beganMs: Long): Duration {
        val entered = CountDownLatch(1)
        val screening = TestScreening(deadline = deadline) { entered.countDown(); awaitCancellation() }
        val before = Once.alarms.queue.toSet()
        screening.system.rings(CALLER, beganMs)
        assertTrue(entered.await(60, TimeUnit.SECONDS))
        val alarms = Once.alarms.queue.toSet() - before
        // None, if it was answered already.
        return (alarms.maxOfOrNull { (it as Delayed).getDelay(TimeUnit.MILLISECONDS) } ?: 0).milliseconds
    }

    @Test
    fun `the answer is due after 2500 ms and before the system gives up`() {
        assertTrue(untilAnswered(null, 0) <= 2500.milliseconds)
        // The system began to count before this process was started.
        val now = System.currentTimeMillis()
        assertTrue(untilAnswered(null, now - 3000) <= 1500.milliseconds)
        assertTrue(untilAnswered(null, now - 4900) <= 100.milliseconds)
        // What an application wants beyond the system's patience is no use.
        assertTrue(untilAnswered(60_000.milliseconds, now) <= 4500.milliseconds)
    }

    private companion object {
        /** Of no laboratory. */
        const val CALLER = "12025559999"
    }
}
