package io.ringtrue.sdk

import io.ringtrue.framework.Silence
import io.ringtrue.testing.PATIENCE
import io.ringtrue.testing.WithLab
import io.ringtrue.testing.assertFails
import io.ringtrue.testing.awaitOpen
import io.ringtrue.testing.config
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import kotlin.concurrent.thread
import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.startCoroutine
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Beginning, giving up and ending: in any order, from any thread. */
internal class LifetimeTest : WithLab() {
    @Test
    fun `every call is given up with its coroutine`() = runBlocking {
        val calls = listOf<suspend RingTrue.() -> Unit>(
            { publishKeys(1.hours) },
            { rotateKeys(1.hours) },
            { prefetchKeys("12025550177", 1.hours) },
            { prefetchContacts(listOf("12025550177"), 1.hours) },
            { readers(1.hours) },
            { place(numbers.single(), "12025550177", deadline = 1.hours) },
            { ring("12025550177", deadline = 1.hours) },
            { refresh(1.hours).collect() },
        )
        for (call in calls) {
            Silence().use { silence ->
                val number = lab.number()
                val phone = phone(number, lab.config(number, listOf(silence.baseUrl())))
                val running = launch(Dispatchers.Default) { phone.call() }
                // Contacts are looked up at random times, later.
                if (call !== calls[3]) silence.connected.awaitOpen()
                withTimeout(PATIENCE) { running.cancelAndJoin() }
                assertTrue(running.isCancelled)
                assertEquals(number, phone.readNumber("+$number"))
                phone.shutDown()
            }
        }
    }

    @Test
    fun `closing while many threads call ends each of them well`() = runBlocking {
        val callee = reachable().numbers.single()
        repeat(3) {
            val phone = reachable()
            val own = phone.numbers.single()
            val begun = CountDownLatch(THREADS)
            val others = ConcurrentLinkedQueue<String>()
            coroutineScope {
                repeat(THREADS) { nth ->
                    launch(Dispatchers.IO) {
                        begun.countDown()
                        try {
                            while (true) {
                                when (nth % 4) {
                                    0 -> phone.ring(callee, deadline = 200.milliseconds).use { call ->
                                        call.answered()
                                        call.verdict
                                    }
                                    1 -> phone.place(own, callee).use { phone.outgoing(it).close() }
                                    2 -> phone.readNumber("+$callee")
                                    else -> phone.prefetchKeys(callee)
                                }
                            }
                        } catch (e: RingTrueException) {
                            if (e.reason != Reason.CANCELLED) others += "$nth: $e, ${e.cause?.stackTraceToString()}"
                        } catch (e: Throwable) {
                            others += "$nth: ${e.stackTraceToString()}"
                        }
                    }
                }
                begun.awaitOpen()
                repeat(4) { launch(Dispatchers.IO) { if (it % 2 == 0) phone.close() else phone.shutDown() } }
            }
            assertEquals(listOf<String>(), others.toList())
        }
    }

    @Test
    fun `everything may be closed twice and used late`() = runBlocking {
        val caller = reachable()
        val callee = reachable()
        val placed = caller.place(caller.numbers.single(), callee.numbers.single(), wantAnswer = true)
        val outgoing = caller.outgoing(placed)
        val ringing = callee.ring(placed.orig)
        val cover = caller.coverTraffic(Power.SCARCE)
        for (closed in listOf(placed, outgoing, ringing, cover, caller, callee)) repeat(2) { closed.close() }
        assertTrue(ringing.verdict is Verdict.Good)
        assertEquals("no_record", outgoing.outcome.verdict.name)
        ringing.answered()
        ringing.ended()
        outgoing.answered()
        outgoing.ended()
        assertFails("cancelled") { ringing.verdicts.collect() }
        assertFails("cancelled") { outgoing.outcomes.collect() }
        assertFails("cancelled") { caller.outgoing(placed) }
        assertFails("cancelled") { caller.awaitAnswer(placed) }
        assertFails("cancelled") { callee.answer(ringing) }
        assertFails("cancelled") { callee.setFetching(false) }
        assertFails("cancelled") { callee.wallets() }
        assertFails("cancelled") { callee.trustStatus() }
        assertFails("cancelled") { callee.refreshGateways() }
        assertFails("cancelled") { callee.prefetchContacts(listOf(), 1.hours) }
        assertFails("cancelled") { callee.certificateRequest() }
        assertFails("cancelled") { callee.readNumber("+12025550177") }
    }

    @Test
    fun `what was closed is not handed on and what is being used stays`() = runBlocking {
        val caller = reachable()
        val callee = reachable()
        val placed = caller.place(caller.numbers.single(), callee.numbers.single(), wantAnswer = true)
        val expected = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { caller.awaitAnswer(placed) }
        val ringing = callee.ring(placed.orig)
        repeat(2) {
            placed.close()
            ringing.close()
            assertFails("cancelled") { caller.outgoing(placed) }
            assertFails("cancelled") { caller.awaitAnswer(placed) }
            assertFails("cancelled") { caller.mayBeDialled(placed) }
            assertFails("cancelled") { callee.answer(ringing) }
        }
        expected.cancelAndJoin()
        assertEquals(placed.orig, ringing.verdict.evidence.orig)
    }

    @Test
    fun `a coroutine without a dispatcher does not go on on threads of the library`() {
        val phone = runBlocking { phone() }
        val released = CountDownLatch(1)
        val waiting = CountDownLatch(LIBRARY_THREADS)
        // More of them than the library has threads: each blocks where it goes on after a call.
        val blocking = suspend {
            phone.ring("12025550177", deadline = 100.milliseconds).close()
            waiting.countDown()
            released.await()
        }
        val over = CountDownLatch(BLOCKING)
        // On threads of their own: a call that ends at once goes on where it was made.
        repeat(BLOCKING) { nth ->
            thread(isDaemon = true) {
                if (nth % 2 == 0) {
                    blocking.startCoroutine(Continuation(EmptyCoroutineContext) { over.countDown() })
                } else {
                    CoroutineScope(Job() + Dispatchers.Unconfined).launch { blocking() }
                        .invokeOnCompletion { over.countDown() }
                }
            }
        }
        runBlocking {
            waiting.awaitOpen()
            withTimeout(PATIENCE) { phone.ring("12025550177", deadline = 100.milliseconds).close() }
            released.countDown()
            over.awaitOpen()
        }
    }

    private companion object {
        const val THREADS = 12

        const val LIBRARY_THREADS = 2
        const val BLOCKING = 4
    }
}
