package io.ringtrue.testing

import io.ringtrue.framework.Lab
import io.ringtrue.sdk.Clock
import io.ringtrue.sdk.Credential
import io.ringtrue.sdk.DeviceKeys
import io.ringtrue.sdk.FetchSource
import io.ringtrue.sdk.HttpSettings
import io.ringtrue.sdk.Placement
import io.ringtrue.sdk.Policy
import io.ringtrue.sdk.Profile
import io.ringtrue.sdk.Reason
import io.ringtrue.sdk.RingTrue
import io.ringtrue.sdk.RingTrueConfig
import io.ringtrue.sdk.RingTrueException
import io.ringtrue.sdk.SoftwareKeys
import io.ringtrue.sdk.StateStore
import io.ringtrue.sdk.Transport
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.TestInstance

/** How long a test waits for what must happen; a machine that has other work may take its time. */
internal val PATIENCE: Duration = 60.seconds

/** Tests with a laboratory and telephones of it, which are closed after each test. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
internal abstract class WithLab {
    protected val lab = Lab()
    private val opened = ConcurrentLinkedQueue<RingTrue>()

    @AfterEach
    fun closeAll() = generateSequence(opened::poll).forEach(RingTrue::close)

    @AfterAll
    fun closeLab() = lab.close()

    /** A telephone with its key in memory, unless said otherwise. */
    protected suspend fun phone(
        number: String = lab.number(),
        config: RingTrueConfig = lab.config(number),
        keys: DeviceKeys? = lab.keys(number),
        transport: Transport? = null,
        clock: Clock? = null,
        fetchSource: FetchSource? = null,
        store: StateStore? = null,
    ): RingTrue = RingTrue.open(config, keys, transport, clock, fetchSource, store).also(opened::add)

    /** One that can be called. */
    protected suspend fun reachable(): RingTrue = phone().also { it.publishKeys() }

    /** A call to [callee] is announced, whose keys are published. Gives who calls. */
    protected suspend fun announced(callee: RingTrue): String {
        callee.publishKeys()
        val caller = phone()
        val orig = caller.numbers.single()
        caller.place(orig, callee.numbers.single()).use { assertEquals(Placement.STORED, it.placement, "${it.reasons}") }
        return orig
    }
}

/** The configuration of a telephone of the laboratory, with a state file of its own. */
internal fun Lab.config(number: String, services: List<String> = listOf(baseUrl())): RingTrueConfig = RingTrueConfig(
    numbers = listOf(number),
    services = services,
    anchorsPem = listOf(read("root.pem")),
    stateFile = newFile(".state"),
    credential = Credential(read(number, "chain.pem"), x5u(number)),
    allowDirect = true,
    http = HttpSettings(extraRootsPem = listOf(read("tls-root.pem")), webRoots = false, allowLoopback = true),
    // What is there is found, however busy the machine.
    policy = Policy(
        profile = Profile.DELEGATE,
        placeDeadline = PATIENCE,
        ringDeadline = PATIENCE,
        answerDeadline = PATIENCE,
        directoryDeadline = PATIENCE,
        awaitAnswer = PATIENCE,
    ),
)

/** A number's key in memory. */
internal fun Lab.keys(number: String): DeviceKeys = SoftwareKeys(read(number, "key.pem"))

internal suspend fun assertFails(name: String, call: suspend () -> Unit) {
    try {
        call()
    } catch (e: RingTrueException) {
        assertEquals(name, e.reason.name)
        assertEquals("$name (${e.reason.code})", e.message)
        return
    }
    fail<Unit>("no $name")
}

internal suspend fun CountDownLatch.awaitOpen() = withContext(Dispatchers.IO) {
    assertTrue(await(PATIENCE.inWholeSeconds, TimeUnit.SECONDS))
}

internal fun names(reasons: List<Reason>): List<String> = reasons.map { it.name }
