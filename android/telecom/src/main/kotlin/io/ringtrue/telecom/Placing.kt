package io.ringtrue.telecom

import android.net.Uri
import android.os.Bundle
import android.telecom.TelecomManager
import io.ringtrue.sdk.OutgoingCall
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.RingTrueException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * Announces a call and places it at once: for applications that place calls themselves.
 *
 * The call is placed whatever comes of the announcement. [from] is an own number, [to] the dialled one,
 * [extras] as for `TelecomManager.placeCall`. Returns the call, to be told of its end. Nothing is returned
 * where `place` throws: a number cannot be read or is not an own one, or the client was closed.
 *
 * @throws SecurityException without the permission `CALL_PHONE`.
 */
public suspend fun RingTrue.placeAnnounced(
    telecom: TelecomManager,
    from: String,
    to: String,
    extras: Bundle = Bundle.EMPTY,
    deadline: Duration = 1500.milliseconds,
): OutgoingCall? {
    val call = try {
        place(from, to, wantAnswer = true, deadline = deadline).use(::outgoing)
    } catch (e: RingTrueException) {
        report("place", e)
        null
    }
    try {
        telecom.placeCall(Uri.fromParts("tel", to, null), extras)
    } catch (e: Throwable) {
        call?.close()
        throw e
    }
    return call
}
