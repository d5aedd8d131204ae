package androidx.work

import android.content.Context

// As much of androidx.work 2.10 as RefreshWorker uses, so that it is compiled where Google's repository
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
