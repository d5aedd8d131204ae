package io.ringtrue.telecom

import android.os.Build
import android.telecom.Call
import android.telecom.CallScreeningService
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.RingTrueException
import io.ringtrue.sdk.Verdict
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/**
 * Verifies incoming calls at ring time.
 *
 * The system starts it when the application holds the call-screening role ([Roles]) or is the dialler. It
 * answers each call once, by [deadline], and allows whatever is in doubt: an unknown caller, a service that
 * does not answer, no network, a missing library, a policy that throws. Nothing happens on the main thread.
 *
 * An application says where its client is ([client]) and what to do with a verdict ([onVerdict]). Declare it
 * with the permission `android.permission.BIND_SCREENING_SERVICE` and the action
 * `android.telecom.CallScreeningService`.
 */
public abstract class RingTrueScreeningService : CallScreeningService() {
    /**
     * The application's client. Called on a worker thread for each call, within the deadline; opens the
     * client where the process was just started, and gives the same one afterwards. It is not closed here.
     */
    protected abstract suspend fun client(): RingTrue

    /** Whether the system is answered at once or with the verdict. */
    protected open val mode: ScreeningMode get() = ScreeningMode.INFORM

    /**
     * By when the system is answered, counted from when the call came here. The system gives 5 s, of which
     * starting the process takes its part, and a vendor may give less.
     */
    protected open val deadline: Duration get() = DEFAULT_DEADLINE

    /** For how long after the first verdict changes of it are followed. */
    protected open val follow: Duration get() = DEFAULT_FOLLOW

    /**
     * The application's policy, in [ScreeningMode.DECIDE] only. Called on a worker thread, within the
     * deadline. The default never keeps a call from ringing.
     */
    protected open fun decide(call: ScreenedCall, verdict: Verdict): Screening = Screening.Allow

    /**
     * What the application shows: a notification, its own screen. Called on a worker thread with the first
     * verdict, after the system was answered, and again whenever it changes.
     */
    protected open suspend fun onVerdict(call: ScreenedCall, verdict: Verdict) {}

    final override fun onScreenCall(details: Call.Details) {
        // Calls of one's own come here too; the system takes no answer for them.
        if (details.callDirection == Call.Details.DIRECTION_OUTGOING) return
        val begun = TimeSource.Monotonic.markNow()
        val left = remaining(details)
        val answer = Once<Screening>(left, Screening.Allow) { respond(details, it) }
        val call = ScreenedCall(number(details), networkVerdict(details, Build.VERSION.SDK_INT))
        if (guarded("mode", ScreeningMode.INFORM) { mode } == ScreeningMode.INFORM) answer.answer(Screening.Allow)
        work.launch { screen(call, answer) { left - begun.elapsedNow() } }
    }

    private suspend fun screen(call: ScreenedCall, answer: Once<Screening>, left: () -> Duration) {
        try {
            val client = client()
            // Once the system was answered, the policy's own deadline is early enough.
            val deadline = if (answer.isGiven) null else left().coerceAtLeast(LEAST)
            client.ring(call.number, deadline = deadline).let { ringing ->
                call.holds(ringing)
                try {
                    settle(call, answer, ringing.verdict)
                    withTimeoutOrNull(follow) {
                        ringing.verdicts.collect { if (it != call.verdict) show(call, it) }
                    }
                } finally {
                    call.take()?.close()
                }
            }
        } catch (e: CancellationException) {
            throw e
        } catch (e: RingTrueException) {
            settle(call, answer, Verdict.unavailable(call.number, listOf(e.reason)))
        } catch (e: Throwable) {
            report("client", e)
            settle(call, answer, Verdict.unavailable(call.number))
        }
    }

    /** Answers the system, then shows the first verdict. */
    private suspend fun settle(call: ScreenedCall, answer: Once<Screening>, verdict: Verdict) {
        if (call.verdict != null) return
        if (!answer.isGiven) answer.answer(guarded("decide", Screening.Allow) { decide(call, verdict) })
        show(call, verdict)
    }

    private suspend fun show(call: ScreenedCall, verdict: Verdict) {
        call.verdict = verdict
        try {
            onVerdict(call, verdict)
        } catch (e: CancellationException) {
            throw e
        } catch (e: Throwable) {
            report("onVerdict", e)
        }
    }

    private fun respond(details: Call.Details, screening: Screening) {
        // The call may be over, and the system's side of it gone.
        guarded("respondToCall", Unit) { respondToCall(details, screening.toResponse()) }
    }

    /** The system's time began with the call, before this process was started for it. */
    private fun remaining(details: Call.Details): Duration {
        val configured = guarded("deadline", DEFAULT_DEADLINE) { deadline }
        val age = (System.currentTimeMillis() - details.creationTimeMillis).milliseconds
        if (age.isNegative() || age > SYSTEM_DEADLINE) return configured
        return configured.coerceAtMost(SYSTEM_DEADLINE - MARGIN - age).coerceAtLeast(LEAST)
    }

    private fun number(details: Call.Details): String? =
        details.handle?.takeIf { it.scheme == "tel" }?.schemeSpecificPart?.takeIf { it.isNotEmpty() }

    private inline fun <T> guarded(where: String, otherwise: T, call: () -> T): T = try {
        call()
    } catch (e: Throwable) {
        report(where, e)
        otherwise
    }

    private companion object {
        val DEFAULT_DEADLINE = 2500.milliseconds
        val DEFAULT_FOLLOW = 60.seconds

        /** After this the system unbinds the service and allows the call. */
        val SYSTEM_DEADLINE = 5.seconds

        /** For the answer's own way. */
        val MARGIN = 500.milliseconds

        /** Less is no time to ask anybody. */
        val LEAST = 100.milliseconds
    }
}
