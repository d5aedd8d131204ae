package io.ringtrue.telecom

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import io.ringtrue.sdk.Verdict

/** The words for a verdict. An application brings its own, in its user's language. */
public interface Wording {
    /** One line: what is known. */
    public fun title(verdict: Verdict): String

    /** One line: of whom. Nothing leaves the line out. */
    public fun text(call: ScreenedCall, verdict: Verdict): String?

    /** English words that claim no more than what is known. */
    public object English : Wording {
        override fun title(verdict: Verdict): String = when (verdict) {
            is Verdict.Confirmed -> "Verified: both sides confirm this call"
            is Verdict.Verified -> "Verified: this number announced this call"
            is Verdict.Conflicting -> "Careful: there is more than one call from this number"
            is Verdict.Refused -> "Not verified: what was announced does not hold"
            is Verdict.NoRecord -> "Not verified: nothing was announced"
            is Verdict.Unavailable -> "Not verified: the service could not be asked"
            is Verdict.ClockUnset -> "Not verified: the clock of this device is not set"
        }

        override fun text(call: ScreenedCall, verdict: Verdict): String? = call.number
    }
}

/**
 * Notifications beside a ringing call. Post one with the same id again when the verdict changes.
 *
 * On a locked screen the title is shown and the number is not.
 */
public class VerdictNotification(
    private val context: Context,
    /** The resource of the small icon. */
    private val icon: Int,
    private val wording: Wording = Wording.English,
) {
    /** Makes the channel, once; [name] is what the user sees in the settings. */
    public fun createChannel(name: String) {
        val manager = context.getSystemService(NotificationManager::class.java) ?: return
        // Not louder than the call.
        manager.createNotificationChannel(NotificationChannel(CHANNEL, name, NotificationManager.IMPORTANCE_LOW))
    }

    /** The notification for a verdict. [open] is started when it is touched. */
    public fun build(call: ScreenedCall, verdict: Verdict, open: PendingIntent? = null): Notification {
        val title = wording.title(verdict)
        val public = builder(title).build()
        return builder(title)
            .setContentText(wording.text(call, verdict))
            .setPublicVersion(public)
            .setContentIntent(open)
            .build()
    }

    private fun builder(title: String): Notification.Builder = Notification.Builder(context, CHANNEL)
        .setSmallIcon(icon)
        .setContentTitle(title)
        .setCategory(Notification.CATEGORY_CALL)
        .setVisibility(Notification.VISIBILITY_PRIVATE)
        .setOnlyAlertOnce(true)
        .setAutoCancel(true)

    public companion object {
        /** The channel of these notifications. */
        public const val CHANNEL: String = "ringtrue.verdict"
    }
}
