package io.ringtrue.test

import io.ringtrue.Credential
import io.ringtrue.EndpointConfig
import io.ringtrue.HttpSettings
import io.ringtrue.Policy
import io.ringtrue.Profile
import io.ringtrue.TrustConfig
import java.io.File
import java.nio.file.Files
import java.util.concurrent.TimeUnit

/** A laboratory: credentials of test numbers, and the real service as a process. */
class Lab : AutoCloseable {
    private val folder: File = Files.createTempDirectory("ringtrue-").toFile()
    private val unused = ArrayDeque((100..199).map { "12025550$it" })
    private val service: Process
    private val x5uBase: String
    private var states = 0

    /** Where the service is. */
    val baseUrl: String

    init {
        val numbers = unused.flatMap { listOf("--number", it) }
        val init = ProcessBuilder(listOf(COMMAND, "lab", "init", folder.path) + numbers)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
        check(init.waitFor() == 0) { "no laboratory" }
        x5uBase = find("x5u_base = \"(.*)\"", read("lab.toml"))
        // Not to our own output, which the service would keep open if the test were killed.
        service = ProcessBuilder(COMMAND, "cps", "serve", "--lab", folder.path, "--listen", "127.0.0.1:0")
            .redirectError(File(folder, "service.log"))
            .start()
        baseUrl = find("serving (https://\\S+)", service.inputReader().readLine())
    }

    override fun close() {
        service.destroy()
        val ended = service.waitFor(60, TimeUnit.SECONDS)
        val log = read("service.log")
        folder.deleteRecursively()
        check(ended && service.exitValue() == 0) { "the service did not end well: $log" }
    }

    /** A number with a credential that no test has used. */
    fun number(): String = unused.removeFirst()

    /** Runs the command and gives what it prints. */
    fun command(vararg arguments: String): String {
        val process = ProcessBuilder(listOf(COMMAND) + arguments)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
        val output = process.inputReader().readText()
        check(process.waitFor() == 0) { "ringtrue ${arguments.first()} failed" }
        return output
    }

    /** Where a file of the laboratory is. */
    fun path(name: String): String = File(folder, name).path

    /** A file of the laboratory. */
    fun read(vararg names: String): String = names.fold(folder, ::File).readText()

    /** The configuration of an endpoint, with a state file of its own. */
    fun config(
        number: String,
        credentialOf: String = number,
        services: List<String> = listOf(baseUrl),
        anchorsPem: List<String> = listOf(read("root.pem")),
        directory: String? = null,
        placement: String? = null,
        hasCredential: Boolean = true,
        trust: TrustConfig? = null,
    ): EndpointConfig = EndpointConfig(
        numbers = listOf(number),
        services = services,
        anchorsPem = anchorsPem,
        stateFile = File(folder, "${states++}.state").path,
        credential = if (hasCredential) {
            Credential(chainPem = read(credentialOf, "chain.pem"), x5u = "$x5uBase/$credentialOf.pem")
        } else {
            null
        },
        allowDirect = true,
        directory = directory,
        placement = placement,
        http = HttpSettings(
            extraRootsPem = listOf(read("tls-root.pem")),
            webRoots = false,
            allowLoopback = true,
        ),
        // Time enough wherever a call does not say how much it has, whatever else the machine does.
        policy = Policy(
            profile = Profile.DELEGATE,
            placeDeadlineMs = PATIENT_MS,
            ringDeadlineMs = PATIENT_MS,
            answerDeadlineMs = PATIENT_MS,
            directoryDeadlineMs = PATIENT_MS,
        ),
        trust = trust,
    )

    private companion object {
        const val PATIENT_MS: ULong = 30_000u

        val COMMAND: String =
            System.getenv("RINGTRUE_BIN") ?: "${System.getProperty("ringtrue.root")}/target/debug/ringtrue"

        fun find(pattern: String, text: String): String =
            checkNotNull(Regex(pattern).find(text)) { "no $pattern" }.groupValues[1]
    }
}
