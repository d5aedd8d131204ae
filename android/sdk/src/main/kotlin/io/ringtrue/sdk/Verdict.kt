package io.ringtrue.sdk

import io.ringtrue.CallVerdict as GeneratedVerdict
import io.ringtrue.CheckName as GeneratedName
import io.ringtrue.CheckResult as GeneratedResult
import io.ringtrue.Verdict as GeneratedKindOfVerdict

/**
 * What a call turned out to be.
 *
 * A value, never an error. Only [Good] lets an application tell its user that the other side is who it
 * says; everything else is shown as a call without proof, as most calls are. The text of a verdict, which
 * ends up in logs, is its name: it shows no number.
 */
public sealed class Verdict {
    /** What led to the verdict. */
    public abstract val evidence: Evidence

    /** Why, and what else is worth knowing; most telling first. */
    public val reasons: List<Reason> get() = evidence.reasons

    /** The other side is who it says. */
    public sealed class Good : Verdict()

    /** Verified, and both sides' state and time agree: the strongest there is. */
    public class Confirmed internal constructor(override val evidence: Evidence) : Good()

    /** A PASSporT passed every check for this call. */
    public class Verified internal constructor(override val evidence: Evidence) : Good()

    /** Good evidence that another fact contradicts. Shown as unverified, with a warning. */
    public class Conflicting internal constructor(override val evidence: Evidence) : Verdict()

    /** Something named this call and failed a check. Shown as unverified. */
    public class Refused internal constructor(override val evidence: Evidence) : Verdict()

    /** Nothing was found that names this call. Not a sign of fraud. */
    public class NoRecord internal constructor(override val evidence: Evidence) : Verdict()

    /** The service could not be asked in time, or the device could not ask. */
    public class Unavailable internal constructor(override val evidence: Evidence) : Verdict()

    /** The device's clock is not set, so nothing can be judged fresh. */
    public class ClockUnset internal constructor(override val evidence: Evidence) : Verdict()

    /** The stable name, in snake case, as in every other language and in the command's JSON. */
    public val name: String
        get() = when (this) {
            is Confirmed -> "confirmed"
            is Verified -> "verified"
            is Conflicting -> "conflicting"
            is Refused -> "refused"
            is NoRecord -> "no_record"
            is Unavailable -> "unavailable"
            is ClockUnset -> "clock_unset"
        }

    override fun equals(other: Any?): Boolean =
        other is Verdict && other.javaClass == javaClass && other.evidence == evidence

    override fun hashCode(): Int = 31 * name.hashCode() + evidence.hashCode()

    /** The stable name. */
    override fun toString(): String = name

    public companion object {
        /**
         * The verdict of an application that could not ask at all: no client, no credential store, no time.
         *
         * `orig` is the calling number as signalling gave it.
         */
        public fun unavailable(orig: String?, reasons: List<Reason> = listOf()): Verdict =
            Unavailable(Evidence(reasons, listOf(), orig, null, 0, 0))
    }
}

/** What led to a verdict. Its text shows none of it. */
public data class Evidence(
    /** Why, and what else is worth knowing; most telling first, without repetition. */
    public val reasons: List<Reason>,
    /** The steps of RFC 8816 section 8.2 on the PASSporT that decided, or came furthest, in order. */
    public val checks: List<Check>,
    /** The calling number as signalling gave it; never taken from a token. */
    public val orig: String?,
    /** The called number: the own one that the verdict is about. */
    public val dest: String?,
    /** Well-formed blobs in all answers together, dummies included. */
    public val blobsReceived: Int,
    /** Blobs that one of the own keys opened. */
    public val blobsOpened: Int,
) {
    override fun toString(): String = "Evidence(..)"
}

/** A step of verification, in the order in which it is made. */
public enum class CheckName {
    /** The token parses and is of a supported type. */
    PPT,

    /** `orig` is the calling number. */
    ORIG,

    /** The signer's certificate leads to an anchor and may sign. */
    CREDENTIAL,

    /** The signer's TNAuthList covers the number it speaks for. */
    AUTHORITY,

    /** `iat` is inside the window. */
    FRESHNESS,

    /** The signature holds and the token is canonical. */
    SIGNATURE,

    /** `dest` holds the called number. */
    DEST,

    /** The PASSporT was not used for another call. */
    REPLAY,

    /** The caller has not reported the call attempt as ended. */
    STATE,
}

/** How a step ended. */
public sealed interface CheckResult {
    /** It holds. */
    public data object Passed : CheckResult

    /** It does not hold. */
    public data class Failed(
        /** Why not. */
        public val reason: Reason,
    ) : CheckResult

    /** An earlier step failed, so this one was not made. */
    public data object NotReached : CheckResult
}

/** One step and how it ended. */
public data class Check(
    /** The step. */
    public val name: CheckName,
    /** How it ended. */
    public val result: CheckResult,
)

internal fun GeneratedVerdict.toSdk(): Verdict {
    val evidence = Evidence(
        reasons = reasons.toSdk(),
        checks = checks.map { Check(it.check.toSdk(), it.result.toSdk()) },
        orig = orig,
        dest = dest,
        blobsReceived = blobs.received.toInt(),
        blobsOpened = blobs.opened.toInt(),
    )
    return when (verdict) {
        GeneratedKindOfVerdict.CLOCK_UNSET -> Verdict.ClockUnset(evidence)
        GeneratedKindOfVerdict.CONFLICTING -> Verdict.Conflicting(evidence)
        GeneratedKindOfVerdict.CONFIRMED -> Verdict.Confirmed(evidence)
        GeneratedKindOfVerdict.NO_RECORD -> Verdict.NoRecord(evidence)
        GeneratedKindOfVerdict.REFUSED -> Verdict.Refused(evidence)
        GeneratedKindOfVerdict.UNAVAILABLE -> Verdict.Unavailable(evidence)
        GeneratedKindOfVerdict.VERIFIED -> Verdict.Verified(evidence)
    }
}

private fun GeneratedName.toSdk(): CheckName = when (this) {
    GeneratedName.PPT -> CheckName.PPT
    GeneratedName.ORIG -> CheckName.ORIG
    GeneratedName.CREDENTIAL -> CheckName.CREDENTIAL
    GeneratedName.AUTHORITY -> CheckName.AUTHORITY
    GeneratedName.FRESHNESS -> CheckName.FRESHNESS
    GeneratedName.SIGNATURE -> CheckName.SIGNATURE
    GeneratedName.DEST -> CheckName.DEST
    GeneratedName.REPLAY -> CheckName.REPLAY
    GeneratedName.STATE -> CheckName.STATE
}

private fun GeneratedResult.toSdk(): CheckResult = when (this) {
    is GeneratedResult.Failed -> CheckResult.Failed(reason.toSdk())
    GeneratedResult.NotReached -> CheckResult.NotReached
    GeneratedResult.Passed -> CheckResult.Passed
}
