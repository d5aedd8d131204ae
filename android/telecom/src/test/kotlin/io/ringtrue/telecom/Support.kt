package io.ringtrue.telecom

import android.content.ComponentName
import android.content.Context
import android.content.ContextWrapper
import android.content.Intent
import android.net.Uri
import android.os.Looper
import android.os.UserHandle
import android.telecom.Call
import android.telecom.CallScreeningService
import android.telecom.ParcelableCall
import com.android.internal.telecom.ICallScreeningAdapter
import com.android.internal.telecom.ICallScreeningService
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.Verdict
import io.ringtrue.testing.PATIENCE
import io.ringtrue.testing.WithLab
import java.util.Collections
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.time.Duration
import kotlin.time.TimeSource
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue

/** The main thread of an Android process: one for all tests, as there is one main looper. */
internal object MainThread {
    private val ready = CountDownLatch(1)

    val thread: Thread = thread(isDaemon = true, name = "main") {
        // The system calls it before the application's first line.
        @Suppress("DEPRECATION")
        Looper.prepareMainLooper()
        ready.countDown()
        Looper.loop()
    }

    fun start() {
        assertTrue(ready.await(PATIENCE.inWholeSeconds, TimeUnit.SECONDS))
        assertTrue(thread.isAlive)
    }
}

/** Tests in a process as the system starts one: with a main thread before the first service is made. */
internal abstract class WithMainThread : WithLab() {
    init {
        MainThread.start()
    }
}

/** As much of an application's context as services ask for. */
internal open class TestContext : ContextWrapper(null) {
    override fun getPackageName(): String = "io.ringtrue.test"

    override fun getApplicationContext(): Context = this

    override fun getOpPackageName(): String = packageName

    override fun getAttributionTag(): String? = null

    override fun getUser(): UserHandle = UserHandle.of(0)
}

/** What the system was told, and when. */
internal class Answer(
    val id: String,
    val response: CallScreeningService.CallResponse?,
    val after: Duration,
) {
    fun assertAllowed() {
        val response = checkNotNull(response)
        assertFalse(response.disallowCall || response.rejectCall || response.silenceCall)
    }
}

/** The system's side of call screening: binds the service and hands calls to it, as Telecom does. */
internal class SystemSide(private val service: TestScreening) {
    val answers = LinkedBlockingQueue<Answer>()
    private val binder = ICallScreeningService.Stub.asInterface(service.onBind(Intent()))

    /** Hands an incoming call over that began at [beganMs], or a time of which nobody knows. Returns its id. */
    fun rings(handle: Uri?, direction: Int = Call.Details.DIRECTION_INCOMING, beganMs: Long = 0): String {
        val id = "TC@${ids.incrementAndGet()}"
        val call = ParcelableCall.ParcelableCallBuilder()
            .setId(id)
            .setHandle(handle)
            .setCallDirection(direction)
            .setCreationTimeMillis(beganMs)
            .setCannedSmsResponses(listOf())
            .setConferenceableCallIds(listOf())
            .setChildCallIds(listOf())
            .createParcelableCall()
        val begun = TimeSource.Monotonic.markNow()
        val adapter = object : ICallScreeningAdapter.Stub() {
            override fun onScreeningResponse(
                callId: String,
                component: ComponentName,
                response: CallScreeningService.ParcelableCallResponse?,
            ) {
                answers += Answer(callId, response?.toCallResponse(), begun.elapsedNow())
            }
        }
        binder.screenCall(adapter, call)
        return id
    }

    fun rings(number: String, beganMs: Long = 0): String =
        rings(Uri.fromParts("tel", "+$number", null), beganMs = beganMs)

    /** The next answer. */
    fun answer(): Answer = answers.next()

    private companion object {
        val ids = AtomicInteger()
    }
}

/** A screening service as an application writes it; each part of it can be replaced. */
internal class TestScreening(
    override val mode: ScreeningMode = ScreeningMode.DECIDE,
    deadline: Duration? = PATIENCE,
    private val policy: (ScreenedCall, Verdict) -> Screening = { _, verdict ->
        if (verdict is Verdict.Good) Screening.Allow else Screening.Silence
    },
    private val shows: (ScreenedCall, Verdict) -> Unit = { _, _ -> },
    private val opens: suspend () -> RingTrue,
) : RingTrueScreeningService() {
    /** Long, so that tests of verdicts do not depend on the machine; nothing: as it is for applications. */
    override val deadline: Duration = deadline ?: super.deadline
    val verdicts = LinkedBlockingQueue<Pair<ScreenedCall, Verdict>>()
    val threads: MutableSet<Thread> = Collections.synchronizedSet(mutableSetOf())
    val system: SystemSide

    init {
        attachBaseContext(TestContext())
        system = SystemSide(this)
    }

    override suspend fun client(): RingTrue {
        threads += Thread.currentThread()
        return opens()
    }

    override fun decide(call: ScreenedCall, verdict: Verdict): Screening {
        threads += Thread.currentThread()
        return policy(call, verdict)
    }

    override suspend fun onVerdict(call: ScreenedCall, verdict: Verdict) {
        threads += Thread.currentThread()
        verdicts += call to verdict
        shows(call, verdict)
    }

    /** Everything that could answer again has run once the main thread and the workers are idle. */
    fun assertNoMore() = assertNull(system.answers.poll(300, TimeUnit.MILLISECONDS))

    /** The next verdict that is shown. */
    fun verdict(): Verdict = verdicts.next().second
}

/** What must come. */
internal fun <T : Any> LinkedBlockingQueue<T>.next(): T =
    checkNotNull(poll(PATIENCE.inWholeSeconds, TimeUnit.SECONDS)) { "nothing came" }
