package io.ringtrue.sdk

import io.ringtrue.LogLevel as GeneratedLevel
import io.ringtrue.LogSink as GeneratedSink

/** How much is told, least first. */
public enum class LogLevel {
    /** What needs somebody's attention. */
    ERROR,

    /** What went wrong and was dealt with. */
    WARN,

    /** What rarely happens and is worth knowing. */
    INFO,

    /** What became of calls, by verdicts and reasons. */
    DEBUG,
}

/**
 * Takes the library's log lines.
 *
 * Called on one thread of the library, in order, which does nothing else: it may block, and then lines are
 * lost and counted. What it throws is ignored. A line holds no telephone number, token, key or URL of a call.
 */
public fun interface LogSink {
    /** Takes one line; [target] says which part of the library it is from. */
    public fun log(level: LogLevel, target: String, message: String)
}

internal class HostLogSink(private val sink: LogSink) : GeneratedSink {
    override fun log(level: GeneratedLevel, target: String, message: String): Unit =
        guarded { sink.log(level.toSdk(), target, message) }
}

internal fun LogLevel.toGenerated(): GeneratedLevel = when (this) {
    LogLevel.ERROR -> GeneratedLevel.ERROR
    LogLevel.WARN -> GeneratedLevel.WARN
    LogLevel.INFO -> GeneratedLevel.INFO
    LogLevel.DEBUG -> GeneratedLevel.DEBUG
}

private fun GeneratedLevel.toSdk(): LogLevel = when (this) {
    GeneratedLevel.ERROR -> LogLevel.ERROR
    GeneratedLevel.WARN -> LogLevel.WARN
    GeneratedLevel.INFO -> LogLevel.INFO
    GeneratedLevel.DEBUG -> LogLevel.DEBUG
}
