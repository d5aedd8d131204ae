package io.ringtrue.telecom

import android.net.Uri
import android.telecom.CallRedirectionService
import android.telecom.PhoneAccountHandle
import io.ringtrue.sdk.Placed
import io.ringtrue.sdk.RingTrue
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.launch

/**
 * Announces outgoing calls that another application places, before they go out.
 *
 * The system starts it when the application holds the call-redirection role ([Roles]). It never changes a
 * call: each goes out as it was dialled, once, by [deadline] at the latest, announced or not. An application
 * that places calls itself uses [placeAnnounced] instead and learns more of the call.
 *
 * Declare it with the permission `android.permission.BIND_CALL_REDIRECTION_SERVICE` and the action
 * `android.telecom.CallRedirectionService`.
 */
public abstract class RingTrueRedirectionService : CallRedirectionService() {
    /** The application's client. Called on a worker thread for each call. It is not closed here. */
    protected abstract suspend fun client(): RingTrue

    /** By when the call goes out. The person who dialled hears nothing until then. */
    protected open val deadline: Duration get() = DEFAULT_DEADLINE

    /**
     * Which own number the call goes out from, nothing if that is not known: then it is not announced. By
     * default the only one there is.
     */
    protected open suspend fun ownNumber(client: RingTrue, account: PhoneAccountHandle): String? =
        client.numbers.singleOrNull()

    /** What came of it. Called on a worker thread, after the call went out. */
    protected open suspend fun onPlaced(client: RingTrue, placed: Placed) {}

    final override fun onPlaceCall(handle: Uri, initialPhoneAccount: PhoneAccountHandle, allowInteractiveResponse: Boolean) {
        val begun = TimeSource.Monotonic.markNow()
        val left = try {
            deadline
        } catch (e: Throwable) {
            report("deadline", e)
            DEFAULT_DEADLINE
        }
        val goes = Once(left, Unit) { goOut() }
        val number = handle.takeIf { it.scheme == "tel" }?.schemeSpecificPart
        if (number.isNullOrEmpty()) {
            goes.answer(Unit)
            return
        }
        work.launch {
            try {
                val client = client()
                val own = ownNumber(client, initialPhoneAccount)
                if (own != null) {
                    val placed = client.place(own, number, wantAnswer = true, deadline = left - begun.elapsedNow())
                    goes.answer(Unit)
                    onPlaced(client, placed)
                }
            } catch (e: CancellationException) {
                throw e
            } catch (e: Throwable) {
                report("redirection", e)
            } finally {
                goes.answer(Unit)
            }
        }
    }

    private fun goOut() {
        try {
            placeCallUnmodified()
        } catch (e: Throwable) {
            // The call may have been given up meanwhile.
            report("placeCallUnmodified", e)
        }
    }

    private companion object {
        val DEFAULT_DEADLINE = 1500.milliseconds
    }
}
