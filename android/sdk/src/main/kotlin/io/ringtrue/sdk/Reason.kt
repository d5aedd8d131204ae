package io.ringtrue.sdk

import io.ringtrue.Reason as GeneratedReason
import io.ringtrue.ReasonKind as GeneratedKind
import io.ringtrue.RingTrueException as GeneratedException

/** Who has to act on a reason. */
public enum class ReasonKind {
    /** A defect of this library. Codes 7000 to 7999. */
    INTERNAL,

    /** Input that could not be parsed. Codes 1000 to 1999. */
    MALFORMED,

    /** Good in itself, but for another call, number or state. Codes 3000 to 3999. */
    MISMATCH,

    /** The application broke the contract of the interface. Codes 6000 to 6999. */
    MISUSE,

    /** Worth reporting, changes no verdict. Codes 8000 to 8999. */
    NOTICE,

    /** Too old or too new. Codes 4000 to 4999. */
    STALE,

    /** The network, a service, a key store or the state store could not do it. Codes 5000 to 5999. */
    UNAVAILABLE,

    /** A certificate, signature or authority that does not hold. Codes 2000 to 2999. */
    UNTRUSTED,
}

/**
 * Why something was refused, failed or is worth knowing.
 *
 * Translate from [code] or [name]: both are stable and the same in every language. There is no text for
 * people. Two reasons with the same code are equal.
 */
public class Reason internal constructor(
    /** The stable number. */
    public val code: Int,
    /** The stable name, in snake case. */
    public val name: String,
    /** Who has to act. */
    public val kind: ReasonKind,
    /** One line for developers, without any data of a call. */
    public val detail: String,
) {
    override fun equals(other: Any?): Boolean = other is Reason && other.code == code

    override fun hashCode(): Int = code

    /** The stable name. */
    override fun toString(): String = name

    internal companion object {
        /** The client was closed before or meanwhile: the registry's entry of that name. */
        val CANCELLED = Reason(5019, "cancelled", ReasonKind.UNAVAILABLE, "the application gave the operation up")

        /** A defect of this library. */
        val INTERNAL = Reason(7001, "internal", ReasonKind.INTERNAL, "a defect of this library")

        /** A key store could not make or use the signing key: the registry's entry of that name. */
        val SIGNER_FAILED = Reason(5013, "signer_failed", ReasonKind.UNAVAILABLE, "the signing key could not be used")

        /** The library on the device is of another version than the code in front of it. */
        val WRONG_LIBRARY = Reason(7001, "internal", ReasonKind.INTERNAL, "the native library does not fit")
    }
}

/** Why a call of the interface failed. A verdict is no error. Its text is the reason's name and code. */
public class RingTrueException internal constructor(
    /** Why. */
    public val reason: Reason,
    cause: Throwable? = null,
) : Exception("${reason.name} (${reason.code})", cause)

internal fun GeneratedReason.toSdk(): Reason = Reason(code.toInt(), name, kind.toSdk(), detail)

internal fun List<GeneratedReason>.toSdk(): List<Reason> = map { it.toSdk() }

private fun GeneratedKind.toSdk(): ReasonKind = when (this) {
    GeneratedKind.INTERNAL -> ReasonKind.INTERNAL
    GeneratedKind.MALFORMED -> ReasonKind.MALFORMED
    GeneratedKind.MISMATCH -> ReasonKind.MISMATCH
    GeneratedKind.MISUSE -> ReasonKind.MISUSE
    GeneratedKind.NOTICE -> ReasonKind.NOTICE
    GeneratedKind.STALE -> ReasonKind.STALE
    GeneratedKind.UNAVAILABLE -> ReasonKind.UNAVAILABLE
    GeneratedKind.UNTRUSTED -> ReasonKind.UNTRUSTED
}

/**
 * Runs a call into the generated code, and gives what it throws the one type that applications see.
 *
 * Cancellation passes through. The generated code throws [IllegalStateException] when its object was
 * closed.
 */
internal inline fun <T> translated(call: () -> T): T = try {
    call()
} catch (e: GeneratedException) {
    throw RingTrueException(e.reason().toSdk())
} catch (e: java.util.concurrent.CancellationException) {
    throw e
} catch (e: IllegalStateException) {
    throw RingTrueException(Reason.CANCELLED, e)
} catch (e: io.ringtrue.InternalException) {
    throw RingTrueException(Reason.INTERNAL, e)
}
