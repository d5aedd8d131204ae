package io.ringtrue.sdk

import java.io.File
import java.lang.management.ManagementFactory
import java.nio.file.Path
import javax.management.ObjectName
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

    /** [objects]: how many there are of classes of the library's and of its interface. */
    private data class Held(
        val objects: Long,
        val heap: Long,
        val resident: Long,
        val threads: Int,
        val descriptors: Int,
    ) {
        fun growthSince(before: Held) = Held(
            objects - before.objects,
            heap - before.heap,
            resident - before.resident,
            threads - before.threads,
            descriptors - before.descriptors,
        )
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
        return Held(objects(), heap, pages * PAGE, ManagementFactory.getThreadMXBean().threadCount, descriptors)
    }

    /** Reads lines of `number: instances octets class`. */
    private fun objects(): Long {
        val name = ObjectName("com.sun.management:type=DiagnosticCommand")
        val signature = arrayOf(Array<String>::class.java.name)
        val histogram = ManagementFactory.getPlatformMBeanServer()
            .invoke(name, "gcClassHistogram", arrayOf(arrayOf<String>()), signature) as String
        val ours = histogram.lines().map { it.trim().split(SPACES) }.filter { it.size >= 4 && it[3].startsWith("io.ringtrue.") }
        check(ours.isNotEmpty()) { "the JVM names no class of the library" }
        return ours.sumOf { it[1].toLong() }
    }

    /** Many at a time: each is looked for until its deadline, and some seconds more. */
    private suspend fun calls(scenario: ScenarioFile, count: Int) {
        val client = scenario.opened()
        repeat(count / AT_ONCE) {
            coroutineScope {
                repeat(AT_ONCE) { nth -> launch { client.ring("1202555${1000 + nth}", deadline = DEADLINE).close() } }
            }
        }
        // These are followed to their end: by then the polls of all are over, whose times vary by half a second.
        coroutineScope {
            repeat(AT_ONCE) {
                launch {
                    client.ring("12025550143", deadline = DEADLINE).run {
                        ended()
                        verdicts.collect()
                        close()
                    }
                }
            }
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

    private fun isNothing(growth: Held) = growth.objects < OBJECTS && growth.heap < HEAP && growth.resident < RESIDENT &&
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
            coroutineScope {
                repeat(CLIENTS) { nth ->
                    launch {
                        val state = File(states.toFile(), "client-$nth")
                        ScenarioFile(FILE, state).use { scenario ->
                            scenario.play()
                            scenario.opened().shutDown()
                        }
                        state.delete()
                    }
                }
            }
        }
    }

    private companion object {
        val FILE = File(System.getProperty("ringtrue.root"), "tests/scenarios/files/no-record.json")
        const val ROUNDS = 4
        const val CALLS = 1000
        const val AT_ONCE = 50
        val DEADLINE = 1.milliseconds
        const val CLIENTS = 20
        val SPACES = Regex("\\s+")
        const val PAGE = 4096L

        /** Fewer than one for each client, and far fewer than one for each call. */
        const val OBJECTS = CLIENTS.toLong()

        /** A leak of 128 octets for each call would be as much: beside objects of the library's, nothing is smaller. */
        const val HEAP = 128L * CALLS

        /** Beside the heap: the JVM's own compiler and collector use some. */
        const val RESIDENT = 16L * 1024 * 1024

        /** Pools may have one more or less at a moment. */
        const val THREADS = 8
    }
}
