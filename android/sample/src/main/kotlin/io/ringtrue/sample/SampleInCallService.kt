package io.ringtrue.sample

import android.content.Intent
import android.telecom.Call
import android.telecom.InCallService
import android.telecom.VideoProfile
import io.ringtrue.sdk.RingTrueException
import io.ringtrue.sdk.RingingCall
import io.ringtrue.sdk.Verdict
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.launch

/** The telephone's call screen when this is the default dialler. */
public class SampleInCallService : InCallService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val app get() = getApplication() as SampleApplication
    private var ringing: RingingCall? = null

    private val changes = object : Call.Callback() {
        override fun onStateChanged(call: Call, state: Int) {
            when (state) {
                Call.STATE_ACTIVE -> answered(call)
                Call.STATE_DISCONNECTED -> ended()
            }
        }
    }

    override fun onCallAdded(call: Call) {
        call.registerCallback(changes)
        app.calls.rings(call, number(call))
        startActivity(Intent(this, CallActivity::class.java).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK))
    }

    override fun onCallRemoved(call: Call) {
        call.unregisterCallback(changes)
        ended()
        app.calls.rings(null, null)
    }

    /** The person picked up: the caller is shown who is here, if the caller is known and asked. */
    private fun answered(call: Call) {
        val number = number(call) ?: return
        val taken = app.incoming.remove(number)?.take() ?: return
        ringing = taken
        taken.answered()
        scope.launch {
            try {
                if (taken.verdict is Verdict.Good) app.client().answer(taken)
                taken.verdicts.collect { app.calls.shows(number, it) }
            } catch (e: RingTrueException) {
                // The caller did not ask who is here, or it could not be told: the call goes on.
                app.calls.shows(number, taken.verdict)
            }
        }
    }

    private fun ended() {
        ringing?.close()
        ringing = null
    }

    private fun number(call: Call): String? = call.details.handle?.schemeSpecificPart

    internal companion object {
        fun answer(call: Call) = call.answer(VideoProfile.STATE_AUDIO_ONLY)
    }
}
