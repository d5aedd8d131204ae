package io.ringtrue.sdk

import io.ringtrue.InternalException
import io.ringtrue.Reason as GeneratedReason
import io.ringtrue.ReasonKind as GeneratedKind
import io.ringtrue.RingTrueException as GeneratedException
import java.util.concurrent.CancellationException
import kotlin.coroutines.ContinuationInterceptor
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext

/** Who has to act on a reason. */
public enum class ReasonKind {
    /** A defect of this library. Codes 7000 to 7999. */
    INTERNAL,

    /** Input that could not be parsed. Codes 1000 to 1999. */
    MALFORMED,

    /** Good in itself, but for another call, number or state. Codes 3000 to 3999. */
    MISMATCH,

    /** The application broke the contract of the interface. Codes 6000 to 6999, and 9101. */
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

        /** The library is not on the device, or of another version than the code in front of it; as in Swift. */
        val LIBRARY_MISMATCH =
            Reason(9101, "library_mismatch", ReasonKind.MISUSE, "the native library is missing or another one")
    }
}

/** Why a call of the interface failed. A verdict is no error. Its text is the reason's name and code. */
public open class RingTrueException internal constructor(
    /** Why. */
    public val reason: Reason,
    cause: Throwable? = null,
) : Exception("${reason.name} (${reason.code})", cause)

/**
 * The native library is not there for this device's processor, or is not the one that this code was made for;
 * the cause says which. A fault of how the application was built: nothing of this library works, now or later,
 * and calls are ordinary ones. Its reason is `library_mismatch` (9101).
 */
public class LibraryException internal constructor(cause: LinkageError) :
    RingTrueException(Reason.LIBRARY_MISMATCH, cause)

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
 * Cancellation passes through. The generated code throws [IllegalStateException] when its object was closed,
 * [LinkageError] when there is no library or its checksums are others, and whatever it stumbles on where a
 * record of the library has other members.
 */
internal inline fun <T> translated(call: () -> T): T = try {
    call()
} catch (e: GeneratedException) {
    throw RingTrueException(e.reason().toSdk())
} catch (e: CancellationException) {
    throw e
} catch (e: IllegalStateException) {
    throw RingTrueException(Reason.CANCELLED, e)
} catch (e: InternalException) {
    throw RingTrueException(Reason.INTERNAL, e)
} catch (e: RuntimeException) {
    throw RingTrueException(Reason.INTERNAL, e)
} catch (e: LinkageError) {
    throw LibraryException(e)
}

/**
 * The same for a call that suspends. What follows it never runs on the thread of the library that ended it:
 * a coroutine without a dispatcher (`suspend fun main`) would go on there, and what blocks would hold up the
 * client.
 */
internal suspend fun <T> awaited(call: suspend () -> T): T = translated {
    when (currentCoroutineContext()[ContinuationInterceptor]) {
        null, Dispatchers.Unconfined -> withContext(Dispatchers.Default) { call() }
        else -> call()
    }
}

/** What is said to an object, or asked of it, may come late, from any thread: then there is nothing to say it to. */
internal inline fun <T : Any> unlessClosed(call: () -> T?): T? = try {
    translated(call)
} catch (e: RingTrueException) {
    if (e.reason != Reason.CANCELLED) throw e
    null
}
