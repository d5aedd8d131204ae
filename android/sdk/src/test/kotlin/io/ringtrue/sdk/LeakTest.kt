package io.ringtrue.sdk

import java.io.File
import java.lang.management.ManagementFactory
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Calls leave nothing behind: heap, native memory, threads, descriptors. */
class LeakTest {
    @TempDir
    lateinit var states: Path

    private data class Held(val heap: Long, val resident: Long, val threads: Int, val descriptors: Int) {
        fun growthSince(before: Held) =
            Held(heap - before.heap, resident - before.resident, threads - before.threads, descriptors - before.descriptors)
    }

    /** What is held once nothing is going on any more. */
    private fun held(): Held {
        // Objects that were not closed are freed by a cleaner, after they were collected.
        repeat(3) {
            System.gc()
            System.runFinalization()
        }
        val heap = ManagementFactory.getMemoryMXBean().heapMemoryUsage.used
        val pages = File("/proc/self/statm").takeIf { it.exists() }?.readText()?.split(" ")?.get(1)?.toLong() ?: 0
        val descriptors = File("/proc/self/fd").list()?.size ?: 0
        return Held(heap, pages * PAGE, ManagementFactory.getThreadMXBean().threadCount, descriptors)
    }

    /** Many at a time: without a record, a call is looked for until its deadline. */
    private suspend fun calls(scenario: ScenarioFile, count: Int) {
        val client = scenario.opened()
        repeat(count / AT_ONCE) {
            coroutineScope {
                repeat(AT_ONCE) { nth -> launch { client.ring("1202555${1000 + nth}", deadline = DEADLINE).close() } }
            }
        }
        // The last one is followed to its end: by then the polls of all are over.
        client.ring("12025550143", deadline = DEADLINE).run {
            ended()
            verdicts.collect()
            close()
        }
        scenario.forgetRequests()
    }

    /**
     * Does the same again until once nothing is left behind. The JVM's compiler, collector and test runner keep
     * something now and then; what leaks does so every time.
     */
    private suspend fun assertNoGrowth(what: String, work: suspend () -> Unit) {
        work()
        val growths = mutableListOf<Held>()
        while (growths.none(::isNothing) && growths.size < ROUNDS) {
            val before = held()
            work()
            growths += held().growthSince(before)
        }
        println("growth over $what: $growths")
        assertTrue(growths.any(::isNothing), "$growths")
    }

    private fun isNothing(growth: Held) = growth.heap < HEAP && growth.resident < RESIDENT &&
        growth.threads <= THREADS && growth.descriptors <= THREADS

    @Test
    fun `a thousand calls leave nothing behind`() = runBlocking {
        ScenarioFile(FILE, File(states.toFile(), "state")).use { scenario ->
            scenario.play()
            assertNoGrowth("$CALLS calls") { calls(scenario, CALLS) }
        }
    }

    @Test
    fun `clients that are opened and closed leave nothing behind`() = runBlocking {
        assertNoGrowth("$CLIENTS clients") {
            repeat(CLIENTS) {
                val state = File(states.toFile(), "client")
                ScenarioFile(FILE, state).use { scenario ->
                    scenario.play()
                    scenario.opened().shutDown()
                }
                state.delete()
            }
        }
    }

    private companion object {
        val FILE = File(System.getProperty("ringtrue.root"), "tests/scenarios/files/no-record.json")
        const val ROUNDS = 4
        const val CALLS = 1000
        const val AT_ONCE = 50
        val DEADLINE = 200.milliseconds
        const val CLIENTS = 20
        const val PAGE = 4096L

        /** A leak of 1 KiB for each call would be as much. */
        const val HEAP = 1024L * CALLS

        /** Beside the heap: the JVM's own compiler and collector use some. */
        const val RESIDENT = 16L * 1024 * 1024

        /** Pools may have one more or less at a moment. */
        const val THREADS = 8
    }
}
