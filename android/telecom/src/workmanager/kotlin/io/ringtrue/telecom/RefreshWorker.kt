package io.ringtrue.telecom

import android.content.Context
import androidx.work.CoroutineWorker
import androidx.work.WorkerParameters
import io.ringtrue.sdk.RefreshStep
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.RingTrueException

/**
 * The refresh as work of WorkManager, for applications that use it: schedule it as periodic work with the
 * constraint that there is a network. [RefreshJobService] does the same without a support library.
 */
public abstract class RefreshWorker(
    context: Context,
    parameters: WorkerParameters,
) : CoroutineWorker(context, parameters) {
    /** The application's client. It is not closed here. */
    protected abstract suspend fun client(): RingTrue

    /** What came of each step: a credential that is due, a reader who is new. */
    protected open suspend fun onStep(step: RefreshStep) {}

    final override suspend fun doWork(): Result {
        val outcome = try {
            client().refreshInBackground(::onStep)
        } catch (_: RingTrueException) {
            RefreshOutcome.RETRY
        }
        return if (outcome == RefreshOutcome.RETRY) Result.retry() else Result.success()
    }
}
