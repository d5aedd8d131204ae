package androidx.work

import android.content.Context
import java.util.concurrent.TimeUnit

// As much of androidx.work 2.10 as RefreshWorker and the guide use, so that it is compiled where Google's repository
// cannot be reached. Never shipped: the Gradle build uses the real library.

class WorkerParameters

abstract class ListenableWorker(val applicationContext: Context, @Suppress("unused") parameters: WorkerParameters) {
    abstract class Result {
        private class Some : Result()

        companion object {
            @JvmStatic
            fun retry(): Result = Some()

            @JvmStatic
            fun success(): Result = Some()
        }
    }
}

abstract class CoroutineWorker(context: Context, parameters: WorkerParameters) : ListenableWorker(context, parameters) {
    abstract suspend fun doWork(): Result
}

enum class NetworkType { CONNECTED }

class Constraints private constructor() {
    class Builder {
        fun setRequiredNetworkType(@Suppress("unused") networkType: NetworkType): Builder = this

        fun build(): Constraints = Constraints()
    }
}

class PeriodicWorkRequest private constructor() {
    class Builder {
        fun setConstraints(@Suppress("unused") constraints: Constraints): Builder = this

        fun build(): PeriodicWorkRequest = PeriodicWorkRequest()
    }
}

@Suppress("unused", "FunctionName")
inline fun <reified W : ListenableWorker> PeriodicWorkRequestBuilder(
    repeatInterval: Long,
    repeatIntervalTimeUnit: TimeUnit,
): PeriodicWorkRequest.Builder = PeriodicWorkRequest.Builder()

enum class ExistingPeriodicWorkPolicy { KEEP }

interface Operation

abstract class WorkManager {
    abstract fun enqueueUniquePeriodicWork(
        uniqueWorkName: String,
        existingPeriodicWorkPolicy: ExistingPeriodicWorkPolicy,
        request: PeriodicWorkRequest,
    ): Operation

    companion object {
        @JvmStatic
        fun getInstance(@Suppress("unused") context: Context): WorkManager = error("not a real one")
    }
}
