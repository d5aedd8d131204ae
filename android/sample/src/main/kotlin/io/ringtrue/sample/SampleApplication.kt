package io.ringtrue.sample

import android.app.Application
import io.ringtrue.sdk.KeystoreKeys
import io.ringtrue.sdk.RingTrue
import io.ringtrue.telecom.RefreshJobService
import io.ringtrue.telecom.ScreenedCall
import io.ringtrue.telecom.VerdictNotification
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** Holds what all parts of the application share. Loads nothing when the process starts. */
public class SampleApplication : Application() {
    private val opening = Mutex()
    private var opened: RingTrue? = null

    /** Calls that ring or are being made here, by the number as the system shows it. */
    internal val incoming: MutableMap<String, ScreenedCall> = ConcurrentHashMap()
    internal val calls: CallState = CallState()

    override fun onCreate() {
        super.onCreate()
        VerdictNotification(this, ICON).createChannel("Verified callers")
        RefreshJobService.schedule(this, SampleRefreshService::class.java, REFRESH_JOB)
    }

    /** The client; opened for whoever needs it first, on a worker thread. */
    internal suspend fun client(): RingTrue = opening.withLock {
        opened ?: open().also { opened = it }
    }

    private suspend fun open(): RingTrue {
        val keys = KeystoreKeys.open(this)
        val settings = SampleSettings(this)
        return RingTrue.open(settings.config(keys), keys)
    }

    internal companion object {
        /** A small icon of the system's: a real application has its own. */
        const val ICON: Int = android.R.drawable.sym_action_call
        private const val REFRESH_JOB = 1
    }
}
