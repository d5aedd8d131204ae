package io.ringtrue.telecom

import android.net.Uri
import android.telecom.Call
import io.ringtrue.sdk.Verdict
import io.ringtrue.testing.config
import java.util.concurrent.CountDownLatch
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The screening service through the framework's own base class, against the real service. */
internal class ScreeningTest : WithMainThread() {
    @Test
    fun `an announced call is verified and allowed`() = runBlocking {
        val callee = phone()
        val orig = announced(callee)
        val screening = TestScreening { callee }
        val id = screening.system.rings(orig)
        val answer = screening.system.answer()
        assertEquals(id, answer.id)
        answer.assertAllowed()
        assertTrue(screening.verdict() is Verdict.Verified)
        assertFalse(MainThread.thread in screening.threads)
        screening.assertNoMore()
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
        screening.system.answer().assertAllowed()
        released.countDown()
        assertTrue(screening.verdict() is Verdict.Verified)
        screening.assertNoMore()
    }

    @Test
    fun `a process that was just started opens its client for the call`() = runBlocking {
        val number = lab.number()
        val config = lab.config(number)
        val orig = phone(number, config).let { before -> announced(before).also { before.shutDown() } }
        val screening = TestScreening { phone(number, config) }
        screening.system.rings(orig)
        screening.system.answer().assertAllowed()
        assertTrue(screening.verdict() is Verdict.Verified)
        // What was used before the process was killed is used.
        val killed = TestScreening { phone(number, config) }
        killed.system.rings(orig)
        assertTrue(checkNotNull(killed.system.answer().response).silenceCall)
        assertTrue(killed.verdict() is Verdict.Refused)
    }

    @Test
    fun `a policy that throws, or decides too late, allows the call`() = runBlocking {
        val callee = phone()
        val throws = TestScreening(policy = { _, _ -> throw StackOverflowError() }) { callee }
        throws.system.rings(lab.number())
        throws.system.answer().assertAllowed()
        assertTrue(throws.verdict() is Verdict.NoRecord)
        throws.assertNoMore()

        val released = CountDownLatch(1)
        val late = TestScreening(deadline = 300.milliseconds, policy = { _, _ ->
            released.await()
            Screening.Reject()
        }) { callee }
        late.system.rings(lab.number())
        late.system.answer().assertAllowed()
        released.countDown()
        // It decided in vain, and the verdict is shown all the same.
        assertNotNull(late.verdict())
        late.assertNoMore()
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
        answers.getValue(good).assertAllowed()
        assertTrue(checkNotNull(answers.getValue(other).response).silenceCall)
        screening.assertNoMore()
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
        val (call, verdict) = screening.verdicts.next()
        val ringing = checkNotNull(call.take())
        assertNull(call.take())
        assertEquals(verdict, ringing.verdict)
        assertFalse(orig in call.toString())
        ringing.close()
    }
}
