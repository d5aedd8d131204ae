package io.ringtrue.sdk

import io.ringtrue.testing.WithLab
import io.ringtrue.testing.awaitOpen
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The library's log lines, in the hands of the application. */
internal class LogTest : WithLab() {
    private class Lines : LogSink {
        val taken = ConcurrentLinkedQueue<Pair<LogLevel, String>>()
        val rang = CountDownLatch(1)

        override fun log(level: LogLevel, target: String, message: String) {
            taken += level to "$target $message"
            if (message.startsWith("a call rings")) rang.countDown()
            throw StackOverflowError("a log that throws")
        }
    }

    @AfterEach
    fun silence() = runBlocking { RingTrue.setLogSink(null) }

    /** Two numbers of a call that was logged. */
    private suspend fun call(): Pair<String, String> {
        val callee = phone()
        val orig = announced(callee)
        callee.ring(orig).close()
        return orig to callee.numbers.single()
    }

    @Test
    fun `lines come one after the other without numbers and no more after the end`() = runBlocking {
        val lines = Lines()
        RingTrue.setLogSink(lines, LogLevel.DEBUG)
        val (orig, dest) = call()
        lines.rang.awaitOpen()
        RingTrue.setLogSink(null)
        val before = lines.taken.size
        call()
        assertEquals(before, lines.taken.size)
        val text = lines.taken.joinToString("\n") { it.second }
        for (secret in listOf(orig, dest, lab.baseUrl())) assertFalse(secret in text)
    }

    @Test
    fun `lines that were not asked for do not come`() = runBlocking {
        val lines = Lines()
        RingTrue.setLogSink(lines, LogLevel.ERROR)
        call()
        RingTrue.setLogSink(null)
        assertTrue(lines.taken.none { it.first != LogLevel.ERROR }, "${lines.taken}")
    }

    @Test
    fun `a sink that blocks holds up neither calls nor the one after it`() = runBlocking {
        val entered = CountDownLatch(1)
        val released = CountDownLatch(1)
        RingTrue.setLogSink({ _, _, _ -> entered.countDown(); released.await() }, LogLevel.DEBUG)
        call()
        entered.awaitOpen()
        call()
        val lines = Lines()
        RingTrue.setLogSink(lines, LogLevel.DEBUG)
        released.countDown()
        call()
        lines.rang.awaitOpen()
    }
}
