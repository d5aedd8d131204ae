package io.ringtrue.telecom

import android.net.Uri
import android.telecom.Call
import io.ringtrue.framework.Lab
import io.ringtrue.framework.Silence
import io.ringtrue.sdk.Placement
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.Verdict
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test

/** The screening service through the framework's own base class, against the real service. */
class ScreeningTest {
    private val opened = mutableListOf<RingTrue>()

    @AfterEach
    fun closeAll() = opened.forEach(RingTrue::close)

    private suspend fun phone(number: String = lab.number()): RingTrue = lab.phone(number).also(opened::add)

    /** A telephone whose keys are published, and the number of one that has announced a call to it. */
    private suspend fun announced(callee: RingTrue): String {
        callee.publishKeys()
        val caller = phone()
        val orig = caller.numbers.single()
        assertEquals(Placement.STORED, caller.place(orig, callee.numbers.single()).placement)
        return orig
    }

    private fun assertNoMore(screening: TestScreening) {
        // Everything that could answer again has run once the main thread and the workers are idle.
        assertNull(screening.system.answers.poll(300, TimeUnit.MILLISECONDS))
    }

    private fun assertAllowed(answer: Answer) {
        val response = checkNotNull(answer.response)
        assertFalse(response.disallowCall || response.rejectCall || response.silenceCall)
    }

    @Test
    fun `an announced call is verified and allowed`() = runBlocking {
        val callee = phone()
        val orig = announced(callee)
        val screening = TestScreening { callee }
        val id = screening.system.rings(orig)
        val answer = screening.system.answer()
        assertEquals(id, answer.id)
        assertAllowed(answer)
        assertTrue(screening.verdict() is Verdict.Verified)
        assertFalse(MainThread.thread in screening.threads)
        assertNoMore(screening)
    }

    @Test
    fun `the policy may silence or reject what is not verified`() = runBlocking {
        val callee = phone()
        val number = lab.number()
        TestScreening { callee }.run {
            system.rings(number)
            assertTrue(checkNotNull(system.answer().response).silenceCall)
            assertTrue(verdict() is Verdict.NoRecord)
        }
        TestScreening(policy = { _, _ -> Screening.Reject(skipNotification = true) }) { callee }.run {
            system.rings(number)
            val response = checkNotNull(system.answer().response)
            assertTrue(response.disallowCall && response.rejectCall && response.skipNotification)
            assertFalse(response.silenceCall)
        }
    }

    @Test
    fun `an application that only informs is answered before anybody is asked`() = runBlocking {
        val callee = phone()
        val orig = announced(callee)
        val released = CountDownLatch(1)
        val screening = TestScreening(mode = ScreeningMode.INFORM, policy = { _, _ -> error("not asked") }) {
            released.await()
            callee
        }
        screening.system.rings(orig)
        assertAllowed(screening.system.answer())
        released.countDown()
        assertTrue(screening.verdict() is Verdict.Verified)
        assertNoMore(screening)
    }

    @Test
    fun `a service that says nothing does not delay the call beyond the deadline`() = runBlocking {
        Silence().use { silence ->
            val number = lab.number()
            val callee = lab.phone(number, lab.config(number, listOf(silence.baseUrl()))).also(opened::add)
            val screening = TestScreening(deadline = 400.milliseconds) { callee }
            screening.system.rings(lab.number())
            assertNotNull(screening.system.answer().response)
            assertTrue(screening.verdict() is Verdict.Unavailable)
            assertNoMore(screening)
        }
    }

    @Test
    fun `without a network the verdict is unavailable and the policy still decides`() = runBlocking {
        val number = lab.number()
        val callee = lab.phone(number, lab.config(number, listOf("https://127.0.0.1:1"))).also(opened::add)
        val screening = TestScreening(policy = { _, _ -> Screening.Allow }) { callee }
        screening.system.rings(lab.number())
        assertAllowed(screening.system.answer())
        assertTrue(screening.verdict() is Verdict.Unavailable)
        assertNoMore(screening)
    }

    @Test
    fun `a process that was just started opens its client for the call`() = runBlocking {
        val number = lab.number()
        val config = lab.config(number)
        val orig = lab.phone(number, config).let { before -> announced(before).also { before.shutDown() } }
        val screening = TestScreening { lab.phone(number, config).also(opened::add) }
        screening.system.rings(orig)
        assertAllowed(screening.system.answer())
        assertTrue(screening.verdict() is Verdict.Verified)
        // What was used before the process was killed is used.
        val killed = TestScreening { lab.phone(number, config).also(opened::add) }
        killed.system.rings(orig)
        assertTrue(checkNotNull(killed.system.answer().response).silenceCall)
        assertTrue(killed.verdict() is Verdict.Refused)
    }

    @Test
    fun `a client that hangs, by waiting or by blocking, is not waited for`() {
        val never = CountDownLatch(1)
        val hangs = listOf<suspend () -> RingTrue>({ awaitCancellation() }, { never.await(); error("late") })
        for (opens in hangs) {
            val screening = TestScreening(deadline = 300.milliseconds, opens = opens)
            screening.system.rings(lab.number())
            assertAllowed(screening.system.answer())
            assertNoMore(screening)
        }
        never.countDown()
    }

    @Test
    fun `more hanging calls than there are workers are all allowed`() {
        val never = CountDownLatch(1)
        val screening = TestScreening(deadline = 500.milliseconds) { never.await(); error("late") }
        val ids = List(80) { screening.system.rings("1202555${1000 + it}") }
        val answered = List(80) { screening.system.answer().also(::assertAllowed).id }
        assertEquals(ids.toSet(), answered.toSet())
        assertNoMore(screening)
        never.countDown()
    }

    @Test
    fun `a client that cannot be had allows the call`() {
        for (fault in listOf(IllegalStateException("no"), UnsatisfiedLinkError("no library"), OutOfMemoryError())) {
            val screening = TestScreening(policy = { _, _ -> Screening.Allow }) { throw fault }
            screening.system.rings(lab.number())
            assertAllowed(screening.system.answer())
            assertTrue(screening.verdict() is Verdict.Unavailable)
            assertNoMore(screening)
        }
    }

    @Test
    fun `a policy that throws, or decides too late, allows the call`() = runBlocking {
        val callee = phone()
        val throws = TestScreening(policy = { _, _ -> throw StackOverflowError() }) { callee }
        throws.system.rings(lab.number())
        assertAllowed(throws.system.answer())
        assertTrue(throws.verdict() is Verdict.NoRecord)
        assertNoMore(throws)

        val released = CountDownLatch(1)
        val late = TestScreening(deadline = 300.milliseconds, policy = { _, _ ->
            released.await()
            Screening.Reject()
        }) { callee }
        late.system.rings(lab.number())
        assertAllowed(late.system.answer())
        released.countDown()
        // It decided in vain, and the verdict is shown all the same.
        assertNotNull(late.verdict())
        assertNoMore(late)
    }

    @Test
    fun `an application that crashes in its callback was answered before and is called for the next call`() = runBlocking {
        val callee = phone()
        val screening = TestScreening(shows = { _, _ -> error("a defect") }) { callee }
        repeat(2) {
            screening.system.rings(lab.number())
            assertNotNull(screening.system.answer().response)
            assertTrue(screening.verdict() is Verdict.NoRecord)
        }
    }

    @Test
    fun `two calls at once get an answer each`() = runBlocking {
        val callee = phone()
        val orig = announced(callee)
        val screening = TestScreening { callee }
        val good = screening.system.rings(orig)
        val other = screening.system.rings(lab.number())
        val answers = List(2) { screening.system.answer() }.associateBy { it.id }
        assertEquals(setOf(good, other), answers.keys)
        assertAllowed(answers.getValue(good))
        assertTrue(checkNotNull(answers.getValue(other).response).silenceCall)
        assertNoMore(screening)
    }

    @Test
    fun `a caller without a telephone number has no record`() = runBlocking {
        val callee = phone()
        for (handle in listOf(null, Uri.fromParts("sip", "bob@example.com", null), Uri.fromParts("tel", "", null))) {
            val screening = TestScreening { callee }
            screening.system.rings(handle)
            assertNotNull(screening.system.answer().response)
            assertFalse(screening.verdict() is Verdict.Good)
        }
    }

    @Test
    fun `calls of one's own are not screened`() {
        val screening = TestScreening { error("not asked") }
        screening.system.rings(Uri.fromParts("tel", "+12025550199", null), Call.Details.DIRECTION_OUTGOING)
        // The base class itself ends those, without a response.
        assertNull(screening.system.answer().response)
        assertTrue(screening.threads.isEmpty())
    }

    @Test
    fun `the application may take the call over`() = runBlocking {
        val callee = phone()
        val orig = announced(callee)
        val screening = TestScreening { callee }
        screening.system.rings(orig)
        val (call, verdict) = checkNotNull(screening.verdicts.poll(PATIENCE_S, TimeUnit.SECONDS))
        val ringing = checkNotNull(call.take())
        assertNull(call.take())
        assertEquals(verdict, ringing.verdict)
        assertFalse(orig in call.toString())
        ringing.close()
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
    }
}
