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
import io.ringtrue.framework.Lab
import io.ringtrue.sdk.Credential
import io.ringtrue.sdk.HttpSettings
import io.ringtrue.sdk.Policy
import io.ringtrue.sdk.Profile
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.RingTrueConfig
import io.ringtrue.sdk.SoftwareKeys
import io.ringtrue.sdk.Verdict
import java.util.Collections
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue

/** The system gives up after this time; tests of answers compare with it and with nothing shorter. */
internal val SYSTEM_DEADLINE: Duration = 5.seconds

/** How long a test waits for what must happen. */
internal const val PATIENCE_S = 60L

/** The configuration of a telephone of the laboratory, with a state file of its own. */
internal fun Lab.config(number: String, services: List<String> = listOf(baseUrl())): RingTrueConfig = RingTrueConfig(
    numbers = listOf(number),
    services = services,
    anchorsPem = listOf(read("root.pem")),
    stateFile = newFile(".state"),
    credential = Credential(read(number, "chain.pem"), x5u(number)),
    allowDirect = true,
    http = HttpSettings(extraRootsPem = listOf(read("tls-root.pem")), webRoots = false, allowLoopback = true),
    policy = Policy(profile = Profile.DELEGATE),
)

/** A telephone of the laboratory with its key in memory. */
internal suspend fun Lab.phone(number: String = number(), config: RingTrueConfig = config(number)): RingTrue =
    RingTrue.open(config, SoftwareKeys(read(number, "key.pem")))

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
        assertTrue(ready.await(PATIENCE_S, TimeUnit.SECONDS))
        assertTrue(thread.isAlive)
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
)

/** The system's side of call screening: binds the service and hands calls to it, as Telecom does. */
internal class SystemSide(private val service: TestScreening) {
    val answers = LinkedBlockingQueue<Answer>()
    private val binder = ICallScreeningService.Stub.asInterface(service.onBind(Intent()))

    /** Hands an incoming call over. Returns its id. */
    fun rings(handle: Uri?, direction: Int = Call.Details.DIRECTION_INCOMING): String {
        val id = "TC@${ids.incrementAndGet()}"
        val call = ParcelableCall.ParcelableCallBuilder()
            .setId(id)
            .setHandle(handle)
            .setCallDirection(direction)
            .setCreationTimeMillis(System.currentTimeMillis())
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

    fun rings(number: String): String = rings(Uri.fromParts("tel", "+$number", null))

    /** The next answer, which must come in the system's time. */
    fun answer(): Answer {
        val answer = answers.poll(PATIENCE_S, TimeUnit.SECONDS)
        assertNotNull(answer, "no answer")
        assertTrue(answer!!.after < SYSTEM_DEADLINE, "${answer.after}")
        return answer
    }

    private companion object {
        val ids = AtomicInteger()
    }
}

/** A screening service as an application writes it; each part of it can be replaced. */
internal class TestScreening(
    override val mode: ScreeningMode = ScreeningMode.DECIDE,
    override val deadline: Duration = 2500.milliseconds,
    private val policy: (ScreenedCall, Verdict) -> Screening = { _, verdict ->
        if (verdict is Verdict.Good) Screening.Allow else Screening.Silence
    },
    private val shows: (ScreenedCall, Verdict) -> Unit = { _, _ -> },
    private val opens: suspend () -> RingTrue,
) : RingTrueScreeningService() {
    val verdicts = LinkedBlockingQueue<Pair<ScreenedCall, Verdict>>()
    val threads: MutableSet<Thread> = Collections.synchronizedSet(mutableSetOf())
    val system: SystemSide

    init {
        MainThread.start()
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

    /** The next verdict that is shown. */
    fun verdict(): Verdict {
        val shown = verdicts.poll(PATIENCE_S, TimeUnit.SECONDS)
        assertNotNull(shown, "no verdict")
        return shown!!.second
    }
}
