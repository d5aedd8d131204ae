package io.ringtrue.sdk

import io.ringtrue.testing.names
import java.io.File
import java.io.IOException
import java.net.SocketTimeoutException
import java.security.KeyFactory
import java.security.PrivateKey
import java.security.Signature
import java.security.spec.PKCS8EncodedKeySpec
import java.util.Base64
import java.util.concurrent.CountDownLatch
import javax.crypto.KeyAgreement
import javax.net.ssl.SSLException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import org.json.JSONArray
import org.json.JSONObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/** Plays one scenario file: tests/scenarios/files/README.md has the format. */
internal class ScenarioFile(file: File, private val stateFile: File) : AutoCloseable {
    private val root = JSONObject(file.readText())
    private val keys = root.getJSONObject("keys")
    private val over = CountDownLatch(1)
    private val requests = mutableListOf<HttpRequest>()
    private val answers = mutableMapOf<Pair<String, String>, JSONObject>()
    private val calls = mutableMapOf<String, RingingCall>()
    private var mailboxMayBeAsked = false
    private var client: RingTrue? = null

    @Volatile
    private var clockMs: Long? = root.opt("clock_unix_ms").let { if (it is Number) it.toLong() else null }

    @Volatile
    private var signerDoes = "works"

    @Volatile
    private var agreementDoes = "works"

    /** Requests without a rule: they fail the scenario. */
    private val unexpected = mutableListOf<String>()

    /** Takes all steps. */
    suspend fun play() {
        assertEquals(1, root.getInt("format"))
        val steps = root.getJSONArray("steps").objects()
        for ((index, step) in steps.withIndex()) {
            val where = "${root.getString("name")}, step $index (${step.getString("do")})"
            prepare(step)
            val expected = step.optJSONObject("expect") ?: JSONObject()
            val wanted = expected.optString("error").ifEmpty { null }
            val failed = try {
                take(step, expected, where)
                null
            } catch (e: RingTrueException) {
                e.reason
            }
            assertEquals(wanted, failed?.name, where)
            if (failed != null) assertEquals(root.getJSONObject("codes").getInt(failed.name), failed.code, where)
            compareRequests(step, where)
        }
        synchronized(requests) { assertEquals(listOf<String>(), unexpected, root.getString("name")) }
    }

    override fun close() {
        over.countDown()
        calls.values.forEach(RingingCall::close)
        client?.close()
    }

    /** The client that the file has opened, for tests that go on with it. */
    fun opened(): RingTrue = checkNotNull(client)

    /** Forgets the requests so far, which would look like growth. */
    fun forgetRequests() = synchronized(requests) { requests.clear() }

    private fun prepare(step: JSONObject) {
        step.optJSONObject("set")?.let { set ->
            if (set.has("clock_unix_ms")) clockMs = if (set.isNull("clock_unix_ms")) null else set.getLong("clock_unix_ms")
            set.optString("signer").ifEmpty { null }?.let { signerDoes = it }
            set.optString("key_agreement").ifEmpty { null }?.let { agreementDoes = it }
        }
        synchronized(requests) {
            for (rule in step.optJSONArray("answers").objects()) {
                answers[rule.getString("method") to rule.getString("url")] = rule
            }
        }
    }

    private suspend fun take(step: JSONObject, expected: JSONObject, where: String) {
        val deadline = if (step.has("deadline_ms")) step.getLong("deadline_ms").milliseconds else null
        val name = step.optString("call", "call")
        when (val what = step.getString("do")) {
            "open" -> client = open()
            "publish_keys", "rotate_keys" -> {
                val published = if (what == "publish_keys") here().publishKeys(deadline) else here().rotateKeys(deadline)
                expected.optJSONArray("numbers")?.let { assertEquals(it.strings(), published.numbers, where) }
                if (expected.has("rotated")) assertEquals(expected.getBoolean("rotated"), published.rotated, where)
            }
            "prefetch_keys" -> {
                val readers = here().prefetchKeys(step.getString("number"), deadline)
                if (expected.has("readers")) assertEquals(expected.getInt("readers"), readers, where)
            }
            "place" -> here().place(
                step.getString("from"), step.getString("to"), step.optBoolean("want_answer"),
                step.optBoolean("fresh_keys"), deadline,
            ).use { placed ->
                compareReasons(expected, placed.reasons, where)
                expected.text("placement")?.let { assertEquals(it, placed.placement.name.lowercase(), where) }
                if (expected.has("copies")) assertEquals(expected.getInt("copies"), placed.copies, where)
            }
            "ring" -> {
                mailboxMayBeAsked = true
                val call = here().ring(step.text("from"), step.text("to"), deadline)
                calls.put(name, call)?.close()
                compare(expected, call.verdict, where)
            }
            "verdict" -> compare(expected, calls.getValue(name).verdict, where)
            "await_verdict" -> {
                val wanted = expected.getString("verdict")
                val verdict = withTimeout(30.seconds) { calls.getValue(name).verdicts.first { it.name == wanted } }
                compare(expected, verdict, where)
            }
            "answered" -> calls.getValue(name).answered()
            "ended" -> calls.getValue(name).ended()
            "answer" -> {
                val phase = CallPhase.valueOf(step.getString("phase").uppercase())
                val answered = here().answer(calls.getValue(name), phase, deadline)
                compareReasons(expected, answered.reasons, where)
                if (expected.has("sent")) assertEquals(expected.getBoolean("sent"), answered.sent, where)
                if (expected.has("caller_gone")) {
                    assertEquals(expected.getBoolean("caller_gone"), answered.callerGone, where)
                }
            }
            "close" -> here().shutDown()
            else -> error("unknown step $what")
        }
    }

    private fun here(): RingTrue = checkNotNull(client) { "not opened" }

    private suspend fun open(): RingTrue = RingTrue.open(
        config(root.getJSONObject("config")), ScriptedKeys(), ::answer, { clockMs },
    )

    private fun compare(expected: JSONObject, verdict: Verdict, where: String) {
        compareReasons(expected, verdict.reasons, where)
        expected.text("verdict")?.let { assertEquals(it, verdict.name, "$where: ${verdict.reasons}") }
        if (expected.has("failed_check")) {
            val failed = verdict.evidence.checks.firstOrNull { it.result is CheckResult.Failed }
            assertEquals(expected.text("failed_check"), failed?.name?.name?.lowercase(), where)
        }
        if (expected.has("received")) assertEquals(expected.getInt("received"), verdict.evidence.blobsReceived, where)
        if (expected.has("opened")) assertEquals(expected.getInt("opened"), verdict.evidence.blobsOpened, where)
    }

    private fun compareReasons(expected: JSONObject, reasons: List<Reason>, where: String) {
        val wanted = expected.optJSONArray("reasons")?.strings() ?: return
        assertEquals(wanted.toSet(), names(reasons).toSet(), where)
    }

    private fun compareRequests(step: JSONObject, where: String) {
        val made = synchronized(requests) { requests.toList().also { requests.clear() } }
        val entries = (step.optJSONArray("requests") ?: return).objects()
        val groups = made.groupBy { it.method to it.url }
        for (entry in entries) {
            val key = entry.getString("method") to entry.getString("url")
            val found = groups[key].orEmpty()
            if (entry.has("count")) assertEquals(entry.getInt("count"), found.size, "$where: $key")
            if (entry.has("at_least")) assertTrue(found.size >= entry.getInt("at_least"), "$where: $key")
            for (request in found) {
                if (entry.has("body_octets")) assertEquals(entry.getInt("body_octets"), request.body.size, "$where: $key")
                if (entry.has("blobs")) {
                    val lines = String(request.body).lines().count { it.isNotEmpty() }
                    assertEquals(entry.getInt("blobs"), lines, "$where: $key")
                }
            }
        }
        val named = entries.map { it.getString("method") to it.getString("url") }.toSet()
        val others = groups.keys - named
        val polls = if (mailboxMayBeAsked) others.filter { isMailbox(it) }.toSet() else setOf()
        assertEquals(setOf<Pair<String, String>>(), others - polls, where)
    }

    private fun isMailbox(key: Pair<String, String>) = key.first == "GET" && MAILBOX.containsMatchIn(key.second)

    @Suppress("UNUSED_PARAMETER")
    private fun answer(role: Role, request: HttpRequest, maxAnswerOctets: Long, timeLeft: Duration): HttpResponse {
        val rule = synchronized(requests) {
            requests += request
            answers[request.method to request.url].also { if (it == null) unexpected += "${request.method} ${request.url}" }
        }
        when (rule?.text("fault") ?: if (rule == null) "unreachable" else null) {
            null -> Unit
            "deadline_passed" -> throw SocketTimeoutException()
            "tls_failed" -> throw SSLException("no")
            "redirected" -> throw TransportFault.Redirected()
            "address_not_allowed" -> throw TransportFault.AddressNotAllowed()
            "answer_too_large" -> throw TransportFault.AnswerTooLarge()
            "throws" -> error("something of the application's")
            "never" -> {
                over.await()
                throw IOException()
            }
            else -> throw IOException()
        }
        checkNotNull(rule)
        val headers = rule.optJSONArray("headers").lists().map { HttpHeader(it.getString(0), it.getString(1)) }
        val body = when {
            rule.has("text") -> rule.getString("text").toByteArray()
            rule.has("octets") -> Base64.getUrlDecoder().decode(rule.getString("octets"))
            rule.has("filler") -> ByteArray(rule.getInt("filler")) { 'x'.code.toByte() }
            else -> ByteArray(0)
        }
        return HttpResponse(rule.getInt("status"), headers, body)
    }

    private fun config(config: JSONObject) = RingTrueConfig(
        numbers = config.getJSONArray("numbers").strings(),
        services = config.getJSONArray("services").strings(),
        anchorsPem = config.getJSONArray("anchors_pem").strings(),
        stateFile = stateFile,
        stateKey = ByteArray(32) { 9 },
        credential = config.optJSONObject("credential")?.let { Credential(it.getString("chain_pem"), it.getString("x5u")) },
        directory = config.text("directory"),
        mirrorDirectory = config.text("mirror_directory"),
        placement = config.text("placement"),
        allowDirect = config.optBoolean("allow_direct"),
        policy = config.optJSONObject("policy")?.let(::policy),
    ).also { assertKnown(config, CONFIG) }

    private fun policy(policy: JSONObject): Policy {
        assertKnown(policy, POLICY)
        fun time(name: String) = if (policy.has(name)) policy.getLong(name).milliseconds else null
        fun count(name: String) = if (policy.has(name)) policy.getInt(name) else null
        return Policy(
            freshness = time("freshness_ms"),
            clockSkew = time("clock_skew_ms"),
            profile = policy.text("profile")?.let { Profile.valueOf(it.uppercase()) },
            statementLife = time("statement_life_ms"),
            placeDeadline = time("place_deadline_ms"),
            ringDeadline = time("ring_deadline_ms"),
            answerDeadline = time("answer_deadline_ms"),
            directoryDeadline = time("directory_deadline_ms"),
            awaitAnswer = time("await_answer_ms"),
            maxBlobs = count("max_blobs"),
            maxAnswerOctets = count("max_answer_octets"),
            maxPassports = count("max_passports"),
            storeJitter = time("store_jitter_ms"),
        )
    }

    /** A member that this runner does not hand over would make it play something else. */
    private fun assertKnown(of: JSONObject, known: Set<String>) {
        assertEquals(setOf<String>(), of.keys().asSequence().toSet() - known, root.getString("name"))
    }

    private inner class ScriptedKeys : DeviceKeys {
        override val signing: SigningKey = ScriptedSigner()
        override val agreement: AgreementKey? = if (keys.has("key_agreement")) ScriptedAgreement() else null
    }

    private inner class ScriptedSigner : SigningKey {
        private val key = ScriptedKey(keys.getJSONObject("signer"))
        override val protection get() = KeyProtection.SOFTWARE

        override fun publicKey(): ByteArray = when (signerDoes) {
            "throws_public_key" -> error("locked")
            "short_public_key" -> key.point.dropLast(1).toByteArray()
            else -> key.point
        }

        override fun sign(message: ByteArray, digest: ByteArray): DeviceSignature = when (signerDoes) {
            "throws" -> error("locked")
            "never" -> hang()
            "wrong_key" -> DeviceSignature.Der(key.sign(message, checkNotNull(key.other)))
            "wrong_length" -> DeviceSignature.Raw(ByteArray(63) { 1 })
            "wrong_signature" -> DeviceSignature.Raw(raw(key.sign(message)).also { it[63] = (it[63].toInt() xor 1).toByte() })
            else -> DeviceSignature.Der(key.sign(message))
        }
    }

    private inner class ScriptedAgreement : AgreementKey {
        private val key = ScriptedKey(keys.getJSONObject("key_agreement"))
        override val protection get() = KeyProtection.SOFTWARE

        override fun publicKey(): ByteArray = when (agreementDoes) {
            "throws_public_key" -> error("locked")
            "short_public_key" -> key.point.dropLast(1).toByteArray()
            else -> key.point
        }

        override fun agree(peer: ByteArray): ByteArray = when (agreementDoes) {
            "throws" -> error("locked")
            "never" -> hang()
            "wrong_length" -> key.agree(peer).dropLast(1).toByteArray()
            "wrong_secret" -> ByteArray(32) { 0x42 }
            else -> key.agree(peer)
        }
    }

    private fun hang(): Nothing {
        over.await()
        error("over")
    }

    private companion object {
        val MAILBOX = Regex("/cps/[0-9]+/ppts$")
        val CONFIG = setOf(
            "numbers", "services", "directory", "mirror_directory", "placement", "anchors_pem", "allow_direct",
            "credential", "policy",
        )
        val POLICY = setOf(
            "freshness_ms", "clock_skew_ms", "profile", "statement_life_ms", "place_deadline_ms", "ring_deadline_ms",
            "answer_deadline_ms", "directory_deadline_ms", "await_answer_ms", "max_blobs", "max_answer_octets",
            "max_passports", "store_jitter_ms",
        )
    }
}

/** A P-256 key of a scenario file. */
private class ScriptedKey(json: JSONObject) {
    private val own = private(json.getString("private_pem"))
    val other: PrivateKey? = json.text("other_private_pem")?.let(::private)

    /** The JVM cannot compute it from the private key; the file has it. */
    val point: ByteArray = json.getString("public").chunked(2).map { it.toInt(16).toByte() }.toByteArray()

    fun sign(message: ByteArray, key: PrivateKey = own): ByteArray {
        val signature = Signature.getInstance(SIGNATURE, "SunEC")
        signature.initSign(key)
        signature.update(message)
        return signature.sign()
    }

    fun agree(peer: ByteArray): ByteArray {
        val agreement = KeyAgreement.getInstance(AGREEMENT, "SunEC")
        agreement.init(own)
        agreement.doPhase(keyOf(peer, (own as java.security.interfaces.ECPrivateKey).params), true)
        return agreement.generateSecret()
    }

    private fun private(pem: String): PrivateKey {
        val text = pem.lines().filterNot { it.startsWith("-----") }.joinToString("")
        val spec = PKCS8EncodedKeySpec(Base64.getDecoder().decode(text))
        return KeyFactory.getInstance("EC", "SunEC").generatePrivate(spec)
    }
}

/** r and s of a DER signature, 32 octets each. */
private fun raw(der: ByteArray): ByteArray {
    fun integer(at: Int): ByteArray {
        val octets = der.copyOfRange(at + 2, at + 2 + der[at + 1]).takeLast(32).toByteArray()
        return ByteArray(32 - octets.size) + octets
    }
    return integer(2) + integer(4 + der[3])
}

private fun JSONArray?.objects(): List<JSONObject> = this?.let { List(length()) { at -> getJSONObject(at) } }.orEmpty()

private fun JSONArray?.lists(): List<JSONArray> = this?.let { List(length()) { at -> getJSONArray(at) } }.orEmpty()

private fun JSONArray.strings(): List<String> = List(length()) { getString(it) }

private fun JSONObject.text(name: String): String? = if (has(name) && !isNull(name)) getString(name) else null
