package io.ringtrue.sdk

import io.ringtrue.testing.PATIENCE
import io.ringtrue.testing.WithLab
import io.ringtrue.testing.assertFails
import io.ringtrue.testing.awaitOpen
import io.ringtrue.testing.config
import io.ringtrue.testing.names
import java.io.IOException
import java.time.Instant
import java.util.concurrent.CountDownLatch
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** A state store of the application's own, and ones that fail. */
internal class StoreTest : WithLab() {
    /** What a good one does. Members may be replaced, to make it a bad one. */
    private open class Memory : StateStore {
        val records = mutableMapOf<String, ByteArray>()
        val marks = mutableMapOf<String, Instant>()

        @Synchronized
        override fun load(name: String): ByteArray? = records[name]

        @Synchronized
        override fun save(name: String, expected: ByteArray?, value: ByteArray): Boolean {
            if (!records[name].contentEquals(expected)) return false
            records[name] = value
            return true
        }

        @Synchronized
        override fun claim(name: String, expires: Instant, now: Instant): Boolean {
            if (marks[name]?.let { it >= now } == true) return false
            marks[name] = expires
            return true
        }
    }

    private suspend fun with(
        store: StateStore?,
        number: String = lab.number(),
        stateKey: ByteArray? = ByteArray(32) { it.toByte() },
        clock: Clock? = null,
    ): RingTrue =
        phone(number, lab.config(number).copy(stateFile = null, stateKey = stateKey), clock = clock, store = store)

    @Test
    fun `a store of the application keeps everything over a restart and shows nothing`() = runBlocking {
        val store = Memory()
        val callee = with(store)
        val dest = callee.numbers.single()
        val orig = announced(callee)
        callee.shutDown()
        assertTrue(with(store, dest).ring(orig, dest).use { it.verdict } is Verdict.Verified)
        // An announcement is good once, whichever client of this store sees it.
        val again = with(store, dest).ring(orig, dest).use { it.verdict }
        assertTrue(again is Verdict.Refused)
        assertTrue("replayed" in names(again.reasons))
        val held = store.records.values.joinToString { String(it, Charsets.ISO_8859_1) } + store.records.keys + store.marks.keys
        assertFalse(orig in held || dest in held)
    }

    @Test
    fun `a store that throws is named and the next call works`() = runBlocking {
        var broken: Throwable? = null
        val store = object : Memory() {
            override fun load(name: String) = broken?.let { throw it } ?: super.load(name)

            override fun save(name: String, expected: ByteArray?, value: ByteArray) =
                broken?.let { throw it } ?: super.save(name, expected, value)

            override fun claim(name: String, expires: Instant, now: Instant) =
                broken?.let { throw it } ?: super.claim(name, expires, now)
        }
        val phone = with(store)
        for (fault in listOf(IOException("no space left"), StackOverflowError(), OutOfMemoryError())) {
            broken = fault
            assertFails("state_unavailable") { phone.publishKeys() }
        }
        broken = null
        val orig = announced(phone)
        broken = IOException("no space left")
        // What was announced cannot be marked as used, so that it is not good.
        val verdict = phone.ring(orig).use { it.verdict }
        assertFalse(verdict is Verdict.Good)
        assertTrue("state_unavailable" in names(verdict.reasons))
        assertFails("state_unavailable") { with(store) }
    }

    @Test
    fun `a store that never takes a change is unavailable`() = runBlocking {
        val phone = with(object : Memory() {
            override fun save(name: String, expected: ByteArray?, value: ByteArray) = false
        })
        assertFails("state_unavailable") { phone.publishKeys() }
    }

    @Test
    fun `a store that forgets marks lets an announcement count twice and one that takes none lets none count`() =
        runBlocking {
            for ((claims, wanted) in listOf(true to "verified", false to "refused")) {
                val store = object : Memory() {
                    override fun claim(name: String, expires: Instant, now: Instant) = claims
                }
                val callee = with(store)
                val orig = announced(callee)
                val dest = callee.numbers.single()
                callee.shutDown()
                repeat(2) {
                    val verdict = with(store, dest).ring(orig, dest).use { it.verdict }
                    assertEquals(wanted, verdict.name, names(verdict.reasons).toString())
                }
            }
        }

    @Test
    fun `a client begins anew with a store that forgot everything and with another key`() = runBlocking {
        val store = Memory()
        val number = lab.number()
        // A statement supersedes only one of a second before.
        var ahead = 0L
        val clock = Clock { System.currentTimeMillis() + ahead }
        for ((forgets, stateKey) in listOf(false to 1, true to 1, false to 2)) {
            if (forgets) store.records.clear()
            val phone = with(store, number, ByteArray(32) { stateKey.toByte() }, clock)
            assertTrue(phone.publishKeys().rotated)
            assertFalse(phone.publishKeys().rotated)
            phone.shutDown()
            ahead += 2000
        }
    }

    @Test
    fun `records that are not what was saved are named`() = runBlocking {
        val lies = listOf<(ByteArray) -> ByteArray>(
            { it.copyOf(it.size / 2) }, { it + 1 }, { ByteArray(0) }, { ByteArray(it.size) { 7 } }, { ByteArray(1_000_000) },
        )
        for (lie in lies) {
            val store = Memory()
            val number = lab.number()
            with(store, number).run {
                publishKeys()
                shutDown()
            }
            store.records.replaceAll { _, octets -> lie(octets) }
            assertFails("record_not_opened") { with(store, number).publishKeys() }
        }
    }

    @Test
    fun `a store that blocks does not hold up a call beyond its deadline`() = runBlocking {
        val blocked = CountDownLatch(1)
        val released = CountDownLatch(1)
        var blocks = false
        val store = object : Memory() {
            override fun claim(name: String, expires: Instant, now: Instant): Boolean {
                if (blocks) {
                    blocked.countDown()
                    released.await()
                }
                return super.claim(name, expires, now)
            }
        }
        val phone = with(store)
        val orig = announced(phone)
        blocks = true
        val verdict = phone.ring(orig, deadline = 2000.milliseconds).use { it.verdict }
        assertTrue(verdict is Verdict.Unavailable, verdict.name)
        released.countDown()
    }

    @Test
    fun `opening with a store that blocks is given up with the coroutine`() = runBlocking {
        val blocked = CountDownLatch(1)
        val released = CountDownLatch(1)
        val store = object : Memory() {
            override fun load(name: String): ByteArray? {
                blocked.countDown()
                released.await()
                return super.load(name)
            }
        }
        val opening = launch { with(store) }
        blocked.awaitOpen()
        withTimeout(PATIENCE) { opening.cancelAndJoin() }
        assertTrue(opening.isCancelled)
        released.countDown()
    }

    @Test
    fun `one of file and store is required and a store needs a key`() = runBlocking {
        val number = lab.number()
        val config = lab.config(number)
        val wrong = listOf<Pair<RingTrueConfig, StateStore?>>(
            config.copy(stateFile = null) to null,
            config.copy(stateFile = null) to Memory(),
            config.copy(stateKey = ByteArray(32)) to Memory(),
            config.copy(stateKey = ByteArray(31)) to null,
            config.copy(stateFile = null, stateKey = ByteArray(33)) to Memory(),
        )
        for ((parts, store) in wrong) assertFails("configuration_invalid") { phone(number, parts, store = store) }
    }
}
