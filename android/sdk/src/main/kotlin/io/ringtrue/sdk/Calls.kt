package io.ringtrue.sdk

import io.ringtrue.AnswerOutcome as GeneratedOutcome
import io.ringtrue.Answered as GeneratedAnswered
import io.ringtrue.CallPhase as GeneratedPhase
import io.ringtrue.OutgoingCall as GeneratedOutgoing
import io.ringtrue.Placed as GeneratedPlaced
import io.ringtrue.Placement as GeneratedPlacement
import io.ringtrue.RingingCall as GeneratedRinging
import java.time.Instant
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow

/** A state of a call that one side tells the other. */
public enum class CallPhase {
    /** The called telephone rings. */
    ALERTING,

    /** The call was answered. */
    ANSWERED,

    /** The caller gave up before an answer. */
    GONE,
}

/** Whether a call was announced. Both mean: dial. */
public enum class Placement {
    /** At least one copy is visible to the called side. */
    STORED,

    /** Nothing was announced; the reasons say why. The call is an ordinary one. */
    UNPROTECTED,
}

/**
 * What came of announcing a call. Its text shows whether it was announced only.
 *
 * Close it, or let it go, when [RingTrue.outgoing] or [RingTrue.awaitAnswer] has taken it.
 */
public class Placed internal constructor(private val generated: GeneratedPlaced) : AutoCloseable {
    internal val held = Held(generated)

    /** Whether it was announced. */
    public val placement: Placement = when (generated.placement) {
        GeneratedPlacement.STORED -> Placement.STORED
        GeneratedPlacement.UNPROTECTED -> Placement.UNPROTECTED
    }

    /** Why not, or what else is worth knowing. */
    public val reasons: List<Reason> = generated.reasons.toSdk()

    /** The calling number, one of the own. */
    public val orig: String get() = generated.orig

    /** The called number, canonical. */
    public val dest: String get() = generated.dest

    /** How many sealed copies are stored. */
    public val copies: Int get() = generated.copies.toInt()

    override fun close(): Unit = held.close()

    override fun toString(): String = "Placed(${placement.name.lowercase()})"
}

/** What the called side shows of itself. Its text shows the verdict only. */
public class AnswerOutcome internal constructor(
    /** The verdict on who answers; its `orig` is the own number, `dest` the dialled one. */
    public val verdict: Verdict,
    /** What the called side says of its call. */
    public val phase: CallPhase?,
    /** Since when it says so. */
    public val since: Instant?,
) {
    override fun equals(other: Any?): Boolean =
        other is AnswerOutcome && verdict == other.verdict && phase == other.phase && since == other.since

    override fun hashCode(): Int = verdict.hashCode()

    override fun toString(): String = "AnswerOutcome($verdict)"
}

/** What came of showing the caller who answers. */
public data class Answered(
    /** Whether the caller can now fetch who answered. */
    public val sent: Boolean,
    /** Whether the caller has ended its call meanwhile: then this one is not its call, and nothing was sent. */
    public val callerGone: Boolean,
    /** Why nothing was sent, or what else is worth knowing. */
    public val reasons: List<Reason>,
)

/**
 * A call that rings, with the verdict on it.
 *
 * Keep it for as long as the call lasts and say what becomes of the call. Closing it is the end of the call.
 */
public class RingingCall internal constructor(private val generated: GeneratedRinging) : AutoCloseable {
    internal val held = Held(generated)

    /** The verdict as of now; the last one known after the end. */
    public val verdict: Verdict
        get() = unlessClosed { generated.verdict() }?.toSdk()?.also { last = it } ?: last

    @Volatile
    private var last: Verdict = generated.verdict().toSdk()

    /**
     * The verdict, and what it changes to: by what the caller reports, by another call from the same number.
     * Ends some seconds after [ended]. For one collector at a time.
     */
    public val verdicts: Flow<Verdict> = changes({ verdict }) { generated.changed()?.toSdk()?.also { last = it } }

    /** The person picks up: call it at that moment, whatever the verdict. */
    public fun answered() {
        unlessClosed { generated.answered() }
    }

    /**
     * For a call whose media travel over IP: the media keys of both sides as they were negotiated. The other
     * side's are compared with those that it announced: [Verdict.Confirmed] if they are the same, else
     * [Verdict.Conflicting]. The [own] ones are shown to the caller with the next answer.
     *
     * @throws RingTrueException `malformed_mky`.
     */
    public fun media(own: MediaKeys, other: MediaKeys) {
        unlessClosed { generated.media(own.toGenerated(), other.toGenerated()) }
    }

    /** The call ended, answered or not. */
    public fun ended() {
        unlessClosed { generated.ended() }
    }

    override fun close() {
        ended()
        held.close()
    }

    override fun toString(): String = "RingingCall($last)"
}

/**
 * A call that was announced and is being made.
 *
 * Keep it for as long as the call lasts, and say what becomes of it: the called side relies on that to tell
 * this call from one that only pretends to be it.
 */
public class OutgoingCall internal constructor(private val generated: GeneratedOutgoing) : AutoCloseable {
    /** What the called side has shown as of now; the last that is known after the end. */
    public val outcome: AnswerOutcome
        get() = unlessClosed { generated.outcome() }?.toSdk()?.also { last = it } ?: last

    @Volatile
    private var last: AnswerOutcome = generated.outcome().toSdk()

    /** The outcome, and what it changes to; ends some seconds after [ended]. For one collector at a time. */
    public val outcomes: Flow<AnswerOutcome> =
        changes({ outcome }) { generated.changed()?.toSdk()?.also { last = it } }

    /** The called side answered: call it at that moment, and once. */
    public fun answered() {
        unlessClosed { generated.answered() }
    }

    /**
     * For a call whose media travel over IP: the other side's media keys as they were negotiated. They are
     * compared with those that its answer names.
     *
     * @throws RingTrueException `malformed_mky`.
     */
    public fun media(other: MediaKeys) {
        unlessClosed { generated.media(other.toGenerated()) }
    }

    /** The call ended: answered and over, busy, rejected, given up. */
    public fun ended() {
        unlessClosed { generated.ended() }
    }

    /** Ends the call, if [ended] was not called, and lets it go. */
    override fun close() {
        ended()
        generated.close()
    }

    override fun toString(): String = "OutgoingCall($last)"
}

/** What there is now, then what it becomes, until nothing follows. */
private fun <T : Any> changes(now: () -> T, next: suspend () -> T?): Flow<T> = flow {
    emit(now())
    while (true) emit(awaited(next) ?: break)
}.distinctUntilChanged()

internal fun GeneratedAnswered.toSdk(): Answered = Answered(sent, callerGone, reasons.toSdk())

internal fun GeneratedOutcome.toSdk(): AnswerOutcome = AnswerOutcome(
    verdict = verdict.toSdk(),
    phase = state?.phase?.toSdk(),
    since = state?.sinceUnixMs?.let { Instant.ofEpochMilli(it.toLong()) },
)

internal fun CallPhase.toGenerated(): GeneratedPhase = when (this) {
    CallPhase.ALERTING -> GeneratedPhase.ALERTING
    CallPhase.ANSWERED -> GeneratedPhase.ANSWERED
    CallPhase.GONE -> GeneratedPhase.GONE
}

private fun GeneratedPhase.toSdk(): CallPhase = when (this) {
    GeneratedPhase.ALERTING -> CallPhase.ALERTING
    GeneratedPhase.ANSWERED -> CallPhase.ANSWERED
    GeneratedPhase.GONE -> CallPhase.GONE
}
