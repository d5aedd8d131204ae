package io.ringtrue.telecom

import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.Verdict
import io.ringtrue.testing.config
import kotlin.time.Duration
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/**
 * How long the system waits for the answer on the good path: printed, not judged. The aim is 300 ms beside
 * the network's time; here the network is this machine.
 */
internal class ScreeningBenchmark : WithMainThread() {
    @Test
    fun `time to the answer on the good path`() = runBlocking {
        val number = lab.number()
        val config = lab.config(number)
        phone(number, config).run {
            publishKeys()
            shutDown()
        }
        // Each call has a caller of its own: two announcements of one second and one caller are one.
        val callers = List(CALLS + 1) { phone() }
        val opened = mutableListOf<RingTrue>()
        val cold = TestScreening { phone(number, config).also(opened::add) }
        println("screening, client opened for the call: ${measure(cold, callers.last(), number)}")
        val warm = TestScreening { opened.first() }
        val times = callers.take(CALLS).map { measure(warm, it, number) }.sorted()
        println("screening, client open: ${times[CALLS / 2]} in the median, ${times.last()} at worst of $CALLS")
    }

    private suspend fun measure(screening: TestScreening, caller: RingTrue, to: String): Duration {
        val from = caller.numbers.single()
        caller.place(from, to).close()
        screening.system.rings(from)
        val answer = screening.system.answer()
        val (call, verdict) = screening.verdicts.take()
        assertTrue(verdict is Verdict.Good, "$verdict ${verdict.reasons}")
        // The next one is another call, not a second one at the same time.
        call.take()?.close()
        return answer.after
    }

    private companion object {
        const val CALLS = 21
    }
}
