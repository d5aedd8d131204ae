package io.ringtrue.sdk

import io.ringtrue.framework.Line
import io.ringtrue.testing.WithLab
import io.ringtrue.testing.assertFails
import io.ringtrue.testing.config
import io.ringtrue.testing.names
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory

/** The network is lost while a service is asked: a reason, never an end, and what comes next works. */
internal class NetworkLossTest : WithLab() {
    private val line = Line(lab)

    @AfterAll
    fun closeLine() = line.close()

    /** Does it and says that a connection was lost meanwhile. */
    private suspend fun <T> losing(loss: Line.Loss, work: suspend () -> T): T {
        val before = line.lost()
        line.lose(loss)
        try {
            return work().also { assertTrue(line.lost() > before, "no connection was lost") }
        } finally {
            line.lose(Line.Loss.NONE)
        }
    }

    @TestFactory
    fun `a connection is lost and the next call works`(): List<DynamicTest> =
        listOf(Line.Loss.AFTER_REQUEST, Line.Loss.WITHIN_ANSWER).map { loss ->
            dynamicTest(loss.name) {
                runBlocking {
                    val number = lab.number()
                    val phone = phone(number, lab.config(number, listOf(line.baseUrl())))
                    val orig = announced(phone)
                    val reached = reachable().numbers.single()

                    losing(loss) { assertFails("service_unreachable") { phone.publishKeys() } }
                    losing(loss) {
                        phone.place(number, reached).use {
                            assertEquals(Placement.UNPROTECTED, it.placement)
                            assertEquals("service_unreachable", names(it.reasons).first())
                        }
                    }
                    losing(loss) {
                        val verdict = phone.ring(orig, deadline = 2.seconds).use { it.verdict }
                        assertTrue(verdict is Verdict.Unavailable, verdict.name)
                        assertEquals("service_unreachable", names(verdict.reasons).first())
                        assertEquals(0, verdict.evidence.blobsReceived)
                    }

                    assertTrue(phone.ring(orig).use { it.verdict } is Verdict.Verified)
                    assertEquals(listOf(number), phone.publishKeys().numbers)
                    phone.place(number, reached).use { assertEquals(Placement.STORED, it.placement) }
                }
            }
        }
}
