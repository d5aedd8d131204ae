package io.ringtrue.telecom

import android.telecom.Call
import android.telecom.CallScreeningService.CallResponse
import io.ringtrue.sdk.RingingCall
import io.ringtrue.sdk.Verdict
import java.util.concurrent.atomic.AtomicReference

/**
 * What the system shall do with a call. Only these: other combinations of what a response can hold are
 * refused by the system or mean nothing for an application that the user chose.
 */
public sealed interface Screening {
    /** Ring as usual. */
    public data object Allow : Screening

    /** Let it through without sound. */
    public data object Silence : Screening

    /** Reject it. Never for want of proof alone: most calls have none. */
    public data class Reject(
        /** Whether the user is not told of the missed call either. */
        public val skipNotification: Boolean = false,
    ) : Screening
}

/** When a screening service answers the system. */
public enum class ScreeningMode {
    /** At once: the call rings while the caller is verified. For applications that only inform. */
    INFORM,

    /** With the verdict, by the deadline at the latest: for applications whose policy may silence. */
    DECIDE,
}

/** What the carrier's own check (STIR/SHAKEN in its network) says. Not this library's verdict. */
public enum class NetworkVerdict {
    /** The network says that the number is not the caller's. */
    FAILED,

    /** The network says nothing. Many never say more. */
    NONE,

    /** The network says that the number is the caller's. */
    PASSED,
}

/** A call that is being screened. Its text shows no number. */
public class ScreenedCall internal constructor(
    /** The calling number as signalling gave it; nothing if it is not a telephone number. */
    public val number: String?,
    /** What the carrier says. */
    public val network: NetworkVerdict,
) {
    private val ringing = AtomicReference<RingingCall?>()

    /** The verdict so far; nothing before the first one. */
    @Volatile
    public var verdict: Verdict? = null
        internal set


    internal fun holds(call: RingingCall) = ringing.set(call)

    /**
     * Takes the call over, for an application that is the dialler: it says what becomes of it and closes it.
     * Nothing if there is none, or it was taken before. Without this the service lets it go by itself.
     */
    public fun take(): RingingCall? = ringing.getAndSet(null)

    override fun toString(): String = "ScreenedCall($verdict)"
}

internal fun Screening.toResponse(): CallResponse = CallResponse.Builder().apply {
    when (this@toResponse) {
        Screening.Allow -> Unit
        Screening.Silence -> setSilenceCall(true)
        is Screening.Reject -> {
            setDisallowCall(true)
            setRejectCall(true)
            setSkipNotification(skipNotification)
        }
    }
}.build()

internal fun networkVerdict(details: Call.Details, sdk: Int): NetworkVerdict {
    // The field came with API 30.
    if (sdk < android.os.Build.VERSION_CODES.R) return NetworkVerdict.NONE
    return when (details.callerNumberVerificationStatus) {
        android.telecom.Connection.VERIFICATION_STATUS_PASSED -> NetworkVerdict.PASSED
        android.telecom.Connection.VERIFICATION_STATUS_FAILED -> NetworkVerdict.FAILED
        else -> NetworkVerdict.NONE
    }
}
