package io.ringtrue.sdk

import io.ringtrue.testing.PATIENCE
import io.ringtrue.testing.WithLab
import io.ringtrue.testing.assertFails
import io.ringtrue.testing.config
import io.ringtrue.testing.names
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What a client can do beside calls: media keys, calling back, contacts, cover traffic. */
internal class CapabilitiesTest : WithLab() {
    private fun line(octet: Int) = "a=fingerprint:sha-256 " + List(32) { "%02X".format(octet) }.joinToString(":")

    private fun media(octet: Int) = checkNotNull(MediaKeys.fromSdp("v=0\r\n${line(octet)}\r\n"))

    @Test
    fun `media keys that are those announced confirm a call and others contradict it`() = runBlocking {
        for ((negotiated, wanted) in listOf(1 to "confirmed", 9 to "conflicting")) {
            val caller = reachable()
            val callee = reachable()
            val orig = caller.numbers.single()
            val dest = callee.numbers.single()
            val outgoing = caller.place(orig, dest, wantAnswer = true, media = media(1)).use(caller::outgoing)
            callee.ring(orig, dest).use { ringing ->
                assertTrue(ringing.verdict is Verdict.Good, names(ringing.verdict.reasons).toString())
                ringing.media(own = media(2), other = media(negotiated))
                withTimeout(PATIENCE) { ringing.verdicts.first { it.name == wanted } }
            }
            outgoing.close()
        }
    }

    @Test
    fun `an answer that names other media keys than were negotiated contradicts the call`() = runBlocking {
        val caller = reachable()
        val callee = reachable()
        val orig = caller.numbers.single()
        val dest = callee.numbers.single()
        val outgoing = caller.place(orig, dest, wantAnswer = true, media = media(1)).use(caller::outgoing)
        callee.ring(orig, dest).use { ringing ->
            ringing.media(own = media(2), other = media(1))
            withTimeout(PATIENCE) { ringing.verdicts.first { it is Verdict.Confirmed } }
            assertTrue(callee.answer(ringing).sent)
            outgoing.media(media(3))
            withTimeout(PATIENCE) { outgoing.outcomes.first { it.verdict is Verdict.Conflicting } }
        }
        outgoing.close()
    }

    @Test
    fun `what are no media keys is refused`() = runBlocking {
        val phone = phone()
        val number = phone.numbers.single()
        val wrong = listOf(
            MediaKeys(listOf()),
            MediaKeys(List(65) { Fingerprint("sha-256", ByteArray(32) { octet -> (octet + it).toByte() }) }),
            MediaKeys(listOf(Fingerprint("sha-256", ByteArray(31)))),
            MediaKeys(listOf(Fingerprint("", ByteArray(32)))),
        )
        phone.ring(number).use { ringing ->
            for (keys in wrong) {
                assertFails("malformed_mky") { phone.place(number, lab.number(), media = keys) }
                assertFails("malformed_mky") { ringing.media(keys, media(1)) }
                assertFails("malformed_mky") { ringing.media(media(1), keys) }
            }
            ringing.close()
            ringing.media(media(1), media(2))
        }
        assertFails("malformed_mky") { MediaKeys.fromSdp("a=fingerprint:sha-256 AB") }
        assertFails("malformed_mky") { MediaKeys.fromSdp(List(65) { line(it) }.joinToString("\r\n")) }
        assertNull(MediaKeys.fromSdp("v=0\r\n"))
        assertEquals(media(0xAB), media(0xAB))
        assertNotEquals(media(0xAB), media(0xAC))
        assertFalse("171" in "${media(0xAB)} ${media(0xAB).fingerprints}" || "AB" in "${media(0xAB)}")
    }

    @Test
    fun `an announcement is dialled soon or not at all`() = runBlocking {
        val caller = phone()
        val orig = caller.numbers.single()
        val callee = reachable()
        caller.place(orig, callee.numbers.single()).use { placed ->
            assertEquals(Placement.STORED, placed.placement)
            while (caller.mayBeDialled(placed)) delay(20.milliseconds)
        }
        // A call without an announcement is an ordinary one.
        val ordinary = caller.place(orig, lab.number())
        assertEquals(Placement.UNPROTECTED, ordinary.placement)
        assertTrue(caller.mayBeDialled(ordinary))
        ordinary.close()
        assertFails("cancelled") { caller.mayBeDialled(ordinary) }
    }

    @Test
    fun `only who proved it is called back and only once`() = runBlocking {
        val phone = phone()
        val other = lab.number()
        repeat(2) {
            assertFails("callback_not_proved") { phone.callBackAfter(other) }
            phone.proveControl("+$other")
            assertTrue(phone.callBackAfter(other) in 5.seconds..65.seconds)
        }
        assertFails("malformed_number") { phone.proveControl("bob") }
        assertFails("malformed_number") { phone.callBackAfter("") }
        phone.close()
        assertFails("cancelled") { phone.proveControl(other) }
        assertFails("cancelled") { phone.callBackAfter(other) }
    }

    @Test
    fun `contacts are looked up ahead of calls`() = runBlocking {
        val caller = phone()
        val other = reachable().numbers.single()
        val contacts = listOf(other, lab.number())
        assertEquals(Prefetched(found = 1, withoutKeys = 1, failed = 0), caller.prefetchContacts(contacts, 100.milliseconds))
        caller.place(caller.numbers.single(), other).use { assertEquals(Placement.STORED to 1, it.placement to it.copies) }
        // Without a relay there is no gateway.
        caller.refreshGateways()
        assertEquals(Prefetched(0, 0, 0), caller.prefetchContacts(listOf(), 100.milliseconds))
        assertFails("malformed_number") { caller.prefetchContacts(listOf(other, "bob"), 1.seconds) }
        assertFails("configuration_invalid") { caller.prefetchContacts(List(4097) { "1202555${1000 + it}" }, 1.seconds) }
    }

    @Test
    fun `looking contacts up is given up with the coroutine`() = runBlocking {
        val caller = phone()
        val job = launch { caller.prefetchContacts(List(100) { "1202555${1000 + it}" }, 24.hours) }
        yield()
        withTimeout(PATIENCE) { job.cancelAndJoin() }
        assertTrue(job.isCancelled)
    }

    @Test
    fun `nothing of contacts is known without a network`() = runBlocking {
        val number = lab.number()
        val phone = phone(number, lab.config(number, listOf("https://127.0.0.1:1")))
        assertEquals(Prefetched(0, 0, 1), phone.prefetchContacts(listOf(lab.number()), 100.milliseconds))
    }

    @Test
    fun `cover traffic goes on until it is closed`() = runBlocking {
        val phone = reachable()
        val policy = CoverPolicy(CoverProfile.ENTERPRISE, storeInterval = 0.seconds, pollInterval = 1.seconds)
        val cover = phone.coverTraffic(Power.PLENTY, policy)
        withTimeout(PATIENCE) { while (cover.counts.polls == 0L) delay(20.milliseconds) }
        assertEquals(0, cover.counts.stores)
        cover.power = Power.SCARCE
        cover.close()
        val last = cover.counts
        assertTrue(last.polls > 0)
        cover.close()
        cover.power = Power.PLENTY
        assertEquals(last to Power.PLENTY, cover.counts to cover.power)
        phone.close()
        assertFails("cancelled") { phone.coverTraffic(Power.PLENTY) }
    }

    @Test
    fun `cover traffic beyond reason is refused`() = runBlocking {
        val phone = phone()
        for (policy in listOf(CoverPolicy(storeInterval = 1.milliseconds), CoverPolicy(pollInterval = 999.milliseconds))) {
            assertFails("configuration_invalid") { phone.coverTraffic(Power.PLENTY, policy) }
        }
        // Less than none is none.
        phone.coverTraffic(Power.SCARCE, CoverPolicy(realPerCover = -1, storesPerDay = -1)).close()
    }

    @Test
    fun `a key for agreement in memory opens what is sealed to it`() = runBlocking {
        val number = lab.number()
        val keys = SoftwareKeys(lab.read(number, "key.pem"), agreementPem = lab.read(lab.number(), "key.pem"))
        val callee = phone(number, keys = keys)
        val orig = announced(callee)
        assertTrue(callee.ring(orig).use { it.verdict } is Verdict.Verified)
        assertEquals(KeyProtection.SOFTWARE, keys.protection)
        val wrong = SoftwareKeys(lab.read(number, "key.pem"), agreementPem = "no key")
        assertFails("malformed_pem") { phone(number, keys = wrong) }
    }
}
