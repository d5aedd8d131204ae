package io.ringtrue.sdk

import io.ringtrue.framework.Silence
import io.ringtrue.testing.PATIENCE
import io.ringtrue.testing.WithLab
import io.ringtrue.testing.assertFails
import io.ringtrue.testing.awaitOpen
import io.ringtrue.testing.config
import io.ringtrue.testing.keys
import io.ringtrue.testing.names
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Two telephones through the interface that applications see, against the real service. */
internal class TwoPhonesTest : WithLab() {
    /** Where requests take long, the clocks leave too much open, and a call says so; then the next one has to do. */
    @Test
    fun `both sides see who is there and agree on the call`() = runBlocking {
        val caller = reachable()
        val callee = reachable()
        var agreed = false
        repeat(CALLS_ON_A_BUSY_MACHINE) { if (!agreed) agreed = agree(caller, callee) }
        assertTrue(agreed)
    }

    /** A call that both sides see answered in one moment; whether both are sure that it is the same. */
    private suspend fun agree(caller: RingTrue, callee: RingTrue): Boolean {
        val orig = caller.numbers.single()
        val dest = callee.numbers.single()
        val placed = caller.place("+$orig", "+$dest", wantAnswer = true)
        assertEquals(Placement.STORED to 1, placed.placement to placed.copies)
        val outgoing = caller.outgoing(placed)
        val agreed = callee.ring(orig, dest).use { ringing ->
            val verdict = ringing.verdict
            assertTrue(verdict is Verdict.Good, names(verdict.reasons).toString())
            assertEquals(CheckName.entries, verdict.evidence.checks.map { it.name })
            assertTrue(verdict.evidence.checks.all { it.result == CheckResult.Passed })
            assertEquals(orig to dest, verdict.evidence.orig to verdict.evidence.dest)
            outgoing.answered()
            assertTrue(callee.answer(ringing).sent)
            val phase = withTimeoutOrNull(AGREEMENT) {
                ringing.verdicts.first { it is Verdict.Confirmed }
                outgoing.outcomes.first { it.verdict is Verdict.Confirmed }.phase
            }
            if (phase != null) assertEquals(CallPhase.ANSWERED, phase)
            for (found in listOf(ringing.verdict, outgoing.outcome.verdict).filter { it !is Verdict.Confirmed }) {
                assertEquals("verified" to listOf("clock_uncertain"), found.name to names(found.reasons))
            }
            phase != null
        }
        outgoing.close()
        placed.close()
        return agreed
    }

    @Test
    fun `changes end after the call has ended`() = runBlocking {
        val caller = reachable()
        val callee = reachable()
        val placed = caller.place(caller.numbers.single(), callee.numbers.single(), wantAnswer = true)
        val outgoing = caller.outgoing(placed)
        outgoing.ended()
        assertNotNull(withTimeout(PATIENCE) { outgoing.outcomes.toList() }.lastOrNull())
        outgoing.close()
        outgoing.close()
        outgoing.answered()
        assertEquals("no_record", outgoing.outcome.verdict.name)
    }

    @Test
    fun `nothing found is no record and not shown to the caller`() = runBlocking {
        val callee = reachable()
        val ringing = callee.ring(lab.number())
        assertTrue(ringing.verdict is Verdict.NoRecord)
        assertFails("not_verified") { callee.answer(ringing) }
    }

    @Test
    fun `errors tell what is wrong`() = runBlocking {
        val one = lab.number()
        val other = lab.number()
        assertFails("key_mismatch") { phone(one, keys = lab.keys(other)) }
        assertFails("malformed_pem") { phone(one, keys = SoftwareKeys("no key")) }
        assertFails("configuration_invalid") {
            phone(one, lab.config(one).copy(anchorsPem = listOf()))
        }
        assertFails("configuration_invalid") {
            phone(one, lab.config(one).copy(tokenStock = -1))
        }
        val phone = phone(one)
        assertFails("malformed_number") { phone.place(one, "bob") }
        assertFails("number_not_owned") { phone.place(other, one) }
        assertFails("no_usable_key") { phone.prefetchKeys(other) }
        assertFails("malformed_number") { phone.readNumber("bob") }
        assertEquals(KeyProtection.SOFTWARE, phone.protection)
    }

    @Test
    fun `a deadline holds whatever the service does`() = runBlocking {
        Silence().use { silence ->
            val number = lab.number()
            val phone = phone(number, lab.config(number, listOf(silence.baseUrl())))
            val placed = phone.place(number, lab.number(), deadline = 300.milliseconds)
            assertEquals(Placement.UNPROTECTED, placed.placement)
            assertEquals("deadline_passed", names(placed.reasons).first())
            val verdict = phone.ring(lab.number(), deadline = 300.milliseconds).verdict
            assertTrue(verdict is Verdict.Unavailable)
            assertFails("deadline_passed") { phone.publishKeys(deadline = 300.milliseconds) }
            // A deadline that is over is one all the same.
            assertTrue(phone.ring(lab.number(), deadline = (-1).seconds).verdict is Verdict.Unavailable)
        }
    }

    @Test
    fun `cancelling a coroutine stops its work`() = runBlocking {
        Silence().use { silence ->
            val number = lab.number()
            val phone = phone(number, lab.config(number, listOf(silence.baseUrl())))
            val job = launch { phone.publishKeys(deadline = 10.minutes) }
            silence.connected.awaitOpen()
            job.cancelAndJoin()
            assertTrue(job.isCancelled)
            // The connection is gone, so the work is.
            silence.closed.awaitOpen()
            assertEquals(number, phone.readNumber("+$number"))
        }
    }

    @Test
    fun `closing ends what runs and what comes later`() = runBlocking {
        Silence().use { silence ->
            val number = lab.number()
            val phone = phone(number, lab.config(number, listOf(silence.baseUrl())))
            val running = async { assertFails("cancelled") { phone.publishKeys(deadline = 10.minutes) } }
            silence.connected.awaitOpen()
            phone.close()
            running.await()
            silence.closed.awaitOpen()
            phone.shutDown()
            phone.close()
            assertFails("cancelled") { phone.publishKeys() }
            assertFails("cancelled") { phone.ring(lab.number()) }
            assertFails("cancelled") { phone.credentialStatus() }
            assertFails("cancelled") { phone.refresh().toList() }
            assertEquals(listOf(number), phone.numbers)
        }
    }

    @Test
    fun `a refresh does everything that is due and goes on after a failure`() = runBlocking {
        val number = lab.number()
        val phone = phone(number)
        val steps = phone.refresh().toList()
        val published = steps.filterIsInstance<RefreshStep.KeysArePublished>().single().published
        assertEquals(listOf(number), published.numbers)
        assertTrue(published.rotated)
        assertTrue(steps.none { it is RefreshStep.HasFailed || it is RefreshStep.CredentialIsDue })

        val other = lab.number()
        val fresh = phone(other, lab.config(other).copy(credential = null))
        val due = fresh.refresh().toList().filterIsInstance<RefreshStep.CredentialIsDue>().single()
        assertEquals(CredentialState.MISSING, due.status.state)

        val offline = lab.config(lab.number(), listOf("https://127.0.0.1:1"))
        val failed = phone(offline.numbers.single(), offline).refresh().toList()
        val failures = failed.filterIsInstance<RefreshStep.HasFailed>()
        assertEquals("service_unreachable", failures.single { it.part == RefreshPart.KEYS }.reason.name)
    }

    @Test
    fun `text for logs holds no number`() = runBlocking {
        val caller = phone()
        val callee = phone()
        val published = callee.publishKeys()
        val orig = caller.numbers.single()
        val dest = callee.numbers.single()
        val placed = caller.place(orig, dest)
        assertNull(caller.awaitAnswer(placed))
        val ringing = callee.ring(orig, dest)
        assertNotNull(ringing.verdict.evidence.orig)
        val values = listOf(
            lab.config(orig), lab.config(orig).credential, published, placed, ringing, ringing.verdict,
            ringing.verdict.evidence, callee,
        )
        for (value in values) assertFalse(orig in value.toString() || dest in value.toString(), "$value")
        assertEquals("Placed(stored)", placed.toString())
    }

    @Test
    fun `the call ends with the object`() = runBlocking {
        val callee = phone()
        val ringing = callee.ring(lab.number(), deadline = 5.seconds)
        val verdict = ringing.verdict
        ringing.close()
        ringing.close()
        ringing.answered()
        assertEquals(verdict, ringing.verdict)
    }

    private companion object {
        const val CALLS_ON_A_BUSY_MACHINE = 10

        /** Longer than either side looks for what the other says. */
        val AGREEMENT = 12.seconds
    }
}
