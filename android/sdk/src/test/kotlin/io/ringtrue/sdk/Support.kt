package io.ringtrue.sdk

import io.ringtrue.framework.Lab
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail

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
    assertTrue(await(60, TimeUnit.SECONDS))
}

internal fun names(reasons: List<Reason>): List<String> = reasons.map { it.name }
