package io.ringtrue.sample

import android.os.Handler
import android.os.Looper
import android.telecom.Call
import io.ringtrue.sdk.RefreshStep
import io.ringtrue.sdk.Verdict

/** What the call screen shows: one call at a time. Changes are told on the main thread. */
internal class CallState {
    private val main = Handler(Looper.getMainLooper())
    private var listener: (() -> Unit)? = null

    var call: Call? = null
        private set
    var number: String? = null
        private set

    @Volatile
    var verdict: Verdict? = null
        private set

    /** The last thing a refresh found that the user should see. */
    @Volatile
    var notice: String? = null
        private set

    fun listen(changed: (() -> Unit)?) {
        listener = changed
    }

    /** A call came or went. On the main thread. */
    fun rings(call: Call?, number: String?) {
        if (number != this.number) verdict = null
        this.call = call
        this.number = number
        listener?.invoke()
    }

    /** A verdict came, perhaps before the call did: screening is first. */
    fun shows(number: String?, verdict: Verdict) {
        main.post {
            this.number = number
            this.verdict = verdict
            listener?.invoke()
        }
    }

    fun refreshed(step: RefreshStep) {
        notice = when (step) {
            is RefreshStep.CredentialIsDue -> "Your certificate is ${step.status.state.name.lowercase()}"
            is RefreshStep.ReaderIsNew -> "Somebody new can read calls to your number"
            is RefreshStep.HasFailed -> "Not refreshed: ${step.reason.name}"
            is RefreshStep.KeysArePublished, is RefreshStep.TokensAreThere, is RefreshStep.TrustIsCurrent -> notice
        }
        main.post { listener?.invoke() }
    }
}
