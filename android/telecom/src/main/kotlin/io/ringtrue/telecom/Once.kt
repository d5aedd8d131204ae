package io.ringtrue.telecom

import java.util.concurrent.ScheduledThreadPoolExecutor
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration

/**
 * An answer that is given once: by whoever is first, at [deadline] with [fallback].
 *
 * The framework replaces the channel of an answer with each call and takes what comes twice for an answer to
 * something else, so each call has one of these. The deadline has a thread of its own: it holds when every
 * worker, and the application's own code on them, is stuck.
 */
internal class Once<T>(deadline: Duration, fallback: T, private val give: (T) -> Unit) {
    private val given = AtomicBoolean()

    /** Whether the answer was given. */
    val isGiven: Boolean get() = given.get()

    private val alarm = alarms.schedule({ answer(fallback) }, deadline.inWholeMilliseconds, TimeUnit.MILLISECONDS)

    /** Gives the answer. Returns whether it was the first. */
    fun answer(value: T): Boolean {
        if (!given.compareAndSet(false, true)) return false
        alarm?.cancel(false)
        give(value)
        return true
    }

    internal companion object {
        /** The deadlines of all calls that were not answered yet. */
        val alarms: ScheduledThreadPoolExecutor = ScheduledThreadPoolExecutor(1) { run ->
            Thread(run, "ringtrue-deadline").apply { isDaemon = true }
        }.apply { removeOnCancelPolicy = true }
    }
}
