package io.ringtrue.telecom

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import io.ringtrue.sdk.RefreshPart
import io.ringtrue.sdk.RefreshStep
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.RingTrueException
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch

/** What a background refresh came to. */
public enum class RefreshOutcome {
    /** Done, or what failed will not get better by trying soon. */
    DONE,

    /** The network failed: try again soon, with growing pauses. */
    RETRY,
}

/**
 * One refresh in the background, for whatever schedules it: [RefreshJobService] with the framework alone, or
 * a WorkManager worker. [onStep] gets what came of each step.
 */
public suspend fun RingTrue.refreshInBackground(onStep: suspend (RefreshStep) -> Unit = {}): RefreshOutcome {
    var outcome = RefreshOutcome.DONE
    refresh().collect { step ->
        // Who reads is asked again next time anyway; without keys or trust calls are not verified.
        if (step is RefreshStep.HasFailed && step.part in NEEDED && step.reason.code in UNAVAILABLE) {
            outcome = RefreshOutcome.RETRY
        }
        onStep(step)
    }
    return outcome
}

private val NEEDED = setOf(RefreshPart.KEYS, RefreshPart.TRUST)

/** The block of reasons of the network and of stores. */
private val UNAVAILABLE = 5000..5999

/**
 * Refreshes keys, trust and tokens on a schedule of the system's. Needs no support library. Declare it with
 * the permission `android.permission.BIND_JOB_SERVICE`, and [schedule] it at each start.
 */
public abstract class RefreshJobService : JobService() {
    private val running = ConcurrentHashMap<Int, Job>()

    /** The application's client. Called on a worker thread. It is not closed here. */
    protected abstract suspend fun client(): RingTrue

    /** What came of each step: a credential that is due, a reader who is new. On a worker thread. */
    protected open suspend fun onStep(step: RefreshStep) {}

    final override fun onStartJob(parameters: JobParameters): Boolean {
        running[parameters.jobId] = work.launch {
            val outcome = try {
                client().refreshInBackground(::onStep)
            } catch (e: CancellationException) {
                throw e
            } catch (e: RingTrueException) {
                report("refresh", e)
                RefreshOutcome.RETRY
            } catch (e: Throwable) {
                report("refresh", e)
                RefreshOutcome.DONE
            }
            running.remove(parameters.jobId)
            jobFinished(parameters, outcome == RefreshOutcome.RETRY)
        }
        return true
    }

    final override fun onStopJob(parameters: JobParameters): Boolean {
        running.remove(parameters.jobId)?.cancel()
        return true
    }

    public companion object {
        /**
         * Schedules [service] every [period], where there is a network; a schedule that is there already is
         * kept. [jobId] is the application's. The system delays it at will while the device sleeps.
         */
        public fun schedule(
            context: Context,
            service: Class<out RefreshJobService>,
            jobId: Int,
            period: Duration = 8.hours,
        ) {
            val scheduler = context.getSystemService(JobScheduler::class.java) ?: return
            if (scheduler.getPendingJob(jobId)?.intervalMillis == period.inWholeMilliseconds) return
            val job = JobInfo.Builder(jobId, ComponentName(context, service))
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .setPeriodic(period.inWholeMilliseconds)
                .setPersisted(true)
                .build()
            scheduler.schedule(job)
        }
    }
}
