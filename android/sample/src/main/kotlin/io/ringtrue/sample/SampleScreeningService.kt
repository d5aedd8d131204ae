package io.ringtrue.sample

import android.app.NotificationManager
import io.ringtrue.sdk.RefreshStep
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.Verdict
import io.ringtrue.telecom.RefreshJobService
import io.ringtrue.telecom.RingTrueScreeningService
import io.ringtrue.telecom.ScreenedCall
import io.ringtrue.telecom.VerdictNotification

/** Verifies callers and shows who calls. Never keeps a call from ringing. */
public class SampleScreeningService : RingTrueScreeningService() {
    private val app get() = getApplication() as SampleApplication

    override suspend fun client(): RingTrue = app.client()

    override suspend fun onVerdict(call: ScreenedCall, verdict: Verdict) {
        call.number?.let { app.incoming[it] = call }
        app.calls.shows(call.number, verdict)
        val manager = getSystemService(NotificationManager::class.java) ?: return
        manager.notify(NOTIFICATION, VerdictNotification(this, SampleApplication.ICON).build(call, verdict))
    }

    private companion object {
        const val NOTIFICATION = 1
    }
}

/** Keeps keys, trust and tokens current. */
public class SampleRefreshService : RefreshJobService() {
    override suspend fun client(): RingTrue = (application as SampleApplication).client()

    override suspend fun onStep(step: RefreshStep) {
        (application as SampleApplication).calls.refreshed(step)
    }
}
