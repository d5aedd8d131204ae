package io.ringtrue.sdk

import io.ringtrue.Endpoint
import io.ringtrue.setLogSink
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * A telephone that proves who is calling.
 *
 * May be used from any thread, by many coroutines at once; its work is done on threads of its own. Every
 * call takes a deadline, or has the policy's, and ends by it whatever the network does. Cancelling the
 * coroutine stops the work at once. One per process is enough; several processes may share a state file.
 *
 * [close] may be called from anywhere, repeatedly. Whatever comes later fails with the reason `cancelled`.
 */
public class RingTrue private constructor(
    private val endpoint: Endpoint,
    /** How well the weakest of the private keys is kept. */
    public val protection: KeyProtection,
    private val fetchesTrust: Boolean,
) : AutoCloseable {
    public companion object {
        /**
         * Checks everything and makes the client. Opens the state store, but no connection. Loads the
         * native library on a worker thread: never on the one that calls.
         *
         * Without [keys] the client can verify but neither place nor answer. [transport] and [clock]
         * replace the built-in ones; [fetchSource] stands in for the network where a URL is fetched; [store]
         * takes the place of the state file and needs [RingTrueConfig.stateKey].
         *
         * @throws RingTrueException `configuration_invalid` if something is missing or contradicts something
         *   else, `key_mismatch` if the credential is not for the signing key, `malformed_…` for a part that
         *   cannot be read, what path verification says if the credential leads to no anchor,
         *   `state_unavailable`, `signer_failed` or `key_agreement_failed` if a public key cannot be had.
         * @throws LibraryException if the native library is not there, or not the one for this code.
         */
        public suspend fun open(
            config: RingTrueConfig,
            keys: DeviceKeys? = null,
            transport: Transport? = null,
            clock: Clock? = null,
            fetchSource: FetchSource? = null,
            store: StateStore? = null,
        ): RingTrue {
            var opened: Endpoint? = null
            try {
                withContext(Dispatchers.IO) {
                    opened = translated {
                        Endpoint.open(
                            config = config.toGenerated(),
                            signer = keys?.signing?.let(::HostSigner),
                            keyAgreement = keys?.agreement?.let(::HostAgreement),
                            transport = transport?.let(::HostTransport),
                            clock = clock?.let(::HostClock),
                            fetchSource = fetchSource?.let(::HostFetchSource),
                            store = store?.let(::HostStore),
                        )
                    }
                }
            } catch (e: CancellationException) {
                // It may have been opened just before nobody waited for it any more.
                opened?.close()
                throw e
            }
            val protection = keys?.protection ?: KeyProtection.SOFTWARE
            return RingTrue(checkNotNull(opened), protection, config.trust != null)
        }

        /**
         * Hands the library's log lines, of all clients of the process, to [sink] from now on, down to
         * [level]; nothing: to nobody, as in the beginning. Returns when the sink before is not called any
         * more, after a second at the latest.
         *
         * @throws RingTrueException `internal` if there is no thread.
         * @throws LibraryException if the native library is not there, or not the one for this code.
         */
        public suspend fun setLogSink(sink: LogSink?, level: LogLevel = LogLevel.INFO): Unit =
            withContext(Dispatchers.IO) {
                translated { setLogSink(sink?.let(::HostLogSink), level.toGenerated()) }
            }
    }

    @Volatile
    private var isClosed = false

    /** The endpoint, unless it is closed: what is begun late does not even begin. */
    private val live: Endpoint get() = if (isClosed) throw RingTrueException(Reason.CANCELLED) else endpoint

    /** The own numbers, canonical: digits without `+` and separators. */
    public val numbers: List<String> = endpoint.numbers()

    /**
     * Reads a number as it is written here and gives the canonical one.
     *
     * @throws RingTrueException `malformed_number`.
     */
    public fun readNumber(text: String): String = translated { live.readNumber(text) }

    /**
     * Announces a call before it is dialled.
     *
     * [wantAnswer] asks the called side to show who answers; it needs published keys of the own.
     * [freshKeys] asks the key directory even if the callee's keys are at hand. [media] names the own media
     * keys, for a call whose media travel over IP. When this returns, dial, also after
     * [Placement.UNPROTECTED], within 2 s ([mayBeDialled]); then say what becomes of it ([outgoing]).
     *
     * @throws RingTrueException `malformed_number`; `malformed_mky` for the media keys; `number_not_owned` for
     *   a [from] that is not an own number; `randomness_unavailable`; `cancelled`.
     */
    public suspend fun place(
        from: String,
        to: String,
        wantAnswer: Boolean = false,
        freshKeys: Boolean = false,
        deadline: Duration? = null,
        media: MediaKeys? = null,
    ): Placed = Placed(
        awaited { live.place(from, to, wantAnswer, freshKeys, deadline?.toMs(), media?.toGenerated()) },
    )

    /**
     * Whether the call may still be dialled by its announcement: within 2 s after it was placed. Later,
     * announce it anew: an announcement that waits is one that somebody else can use.
     *
     * @throws RingTrueException `cancelled`.
     */
    public fun mayBeDialled(placed: Placed): Boolean = translated { placed.held.use { live.mayBeDialled(it.call) } }

    /**
     * The call that was announced, from when it is dialled: waits for the called side to show who it is and
     * takes what becomes of it. [wait] is how long to look for the called side's answer.
     *
     * @throws RingTrueException `cancelled`.
     */
    public fun outgoing(placed: Placed, wait: Duration? = null): OutgoingCall =
        OutgoingCall(translated { placed.held.use { live.outgoing(it.call, wait?.toMs()) } })

    /**
     * Waits for the called side to show who answered: the first verified answer, or what is known at the
     * deadline; nothing if no answer was asked for. Instead of [outgoing].
     *
     * @throws RingTrueException `cancelled`.
     */
    public suspend fun awaitAnswer(placed: Placed, deadline: Duration? = null): AnswerOutcome? =
        placed.held.use { held ->
            held.answer?.let { awaited { live.awaitAnswer(it, deadline?.toMs()) }.toSdk() }
        }

    /**
     * Verifies a ringing call. Returns with the first verdict that decides, by the deadline at the latest.
     *
     * [from] is the calling number as signalling gives it, nothing if it is withheld. [to] is the called
     * number, nothing if the application cannot tell which of its own it was.
     *
     * @throws RingTrueException `number_not_owned` or `malformed_number` for [to]; `cancelled`.
     */
    public suspend fun ring(from: String?, to: String? = null, deadline: Duration? = null): RingingCall =
        RingingCall(awaited { live.ring(from, to, deadline?.toMs()) })

    /**
     * Shows the caller who is here: connected identity. Only for a call with a good verdict whose caller
     * asked, and only if the user or the application's policy allows it.
     *
     * @throws RingTrueException `not_verified` without a good verdict; `rsp_not_requested` if the caller did
     *   not ask; `configuration_invalid` for a phase that is not the callee's to report; `cancelled`.
     */
    public suspend fun answer(
        call: RingingCall,
        phase: CallPhase = CallPhase.ANSWERED,
        deadline: Duration? = null,
    ): Answered = call.held.use { held -> awaited { live.answer(held, phase.toGenerated(), deadline?.toMs()) } }.toSdk()

    /**
     * Publishes the own encryption keys, making them first if there are none or their statement is in the
     * last third of its life. [refresh] includes it.
     *
     * @throws RingTrueException reasons of the credential and the network; `signer_failed`;
     *   `state_unavailable`; `clock_unset`; `deadline_passed`; `cancelled`.
     */
    public suspend fun publishKeys(deadline: Duration? = null): Published =
        awaited { live.publishKeys(deadline?.toMs()) }.toSdk()

    /** Makes and publishes new encryption keys. The ones before still open what is sealed to them. */
    public suspend fun rotateKeys(deadline: Duration? = null): Published =
        awaited { live.rotateKeys(deadline?.toMs()) }.toSdk()

    /**
     * Learns the keys of a number ahead of a call, so that placing one takes a single request. Returns how
     * many parties can read what is sealed for it.
     *
     * @throws RingTrueException `malformed_number`; `no_usable_key` if none was found, or the reason why
     *   none could be looked for; `cancelled`.
     */
    public suspend fun prefetchKeys(number: String, deadline: Duration? = null): Int =
        awaited { live.prefetchKeys(number, deadline?.toMs()) }.toInt()

    /**
     * Learns the keys of contacts ahead of calls. Keys live for a day or so; once a day is enough.
     *
     * The directory sees neither who asks (with a relay) nor the address book: the lookups are spread over
     * [span] at random, in random order, among lookups of other numbers. Ends after about that time, at twice
     * of it at the latest but for the network; cancelling stops it.
     *
     * @throws RingTrueException `malformed_number`; `configuration_invalid` for over 4096 contacts;
     *   `randomness_unavailable`; `cancelled`.
     */
    public suspend fun prefetchContacts(contacts: List<String>, span: Duration): Prefetched =
        awaited { live.prefetchContacts(contacts, span.toMs()) }.toSdk()

    /**
     * Makes sure that the keys of the gateways of the own services and of the key directory are at hand.
     * [publishKeys] does it too; nothing to do without a relay.
     *
     * @throws RingTrueException what went wrong with one of them; the others are there all the same.
     *   `gateway_keys_inconsistent` for a gateway that shows different keys to different askers: it is not
     *   used. `cancelled`.
     */
    public suspend fun refreshGateways(deadline: Duration? = null): Unit =
        awaited { live.refreshGateways(deadline?.toMs()) }

    /** Asks the key directory who can open what callers seal for the own numbers. */
    public suspend fun readers(deadline: Duration? = null): List<NumberReaders> =
        awaited { live.readers(deadline?.toMs()) }.map { it.toSdk() }

    /**
     * Makes a request for a certificate that speaks for all own numbers, signed by the key where it is.
     * Gives PEM (PKCS#10) for the certification authority. [name] stands in clear in the certificate.
     *
     * @throws RingTrueException `signer_failed`; `configuration_invalid` for the name; `cancelled`.
     */
    public suspend fun certificateRequest(name: String? = null): String =
        awaited { live.certificateRequest(name) }

    /**
     * Takes a certificate chain into use: PEM, signer first, and the https URL where others find it. It is
     * kept; the next start uses it again. Publish the keys again afterwards.
     *
     * @throws RingTrueException `key_mismatch`; `number_not_covered` and the like; what is wrong with its
     *   path; `malformed_…`; `signer_failed`; `state_unavailable`; `cancelled`.
     */
    public suspend fun installCertificate(chainPem: String, x5u: String): Unit =
        awaited { live.installCertificate(chainPem, x5u) }

    /** Whether the client can sign now, until when, and from when on to ask for a new certificate. */
    public fun credentialStatus(): CredentialStatus = translated { live.credentialStatus() }.toSdk()

    /**
     * Gets the operator's trust bundle and the revocation lists that it names. Not while a call is set up.
     *
     * @throws RingTrueException `configuration_invalid` without a trust configuration; `bundle_…`;
     *   `fetching_off` and reasons of the network; `state_unavailable`; `clock_unset`; `cancelled`.
     */
    public suspend fun updateTrust(deadline: Duration? = null): TrustUpdated =
        awaited { live.updateTrust(deadline?.toMs()) }.toSdk()

    /** Whom the client believes at present, and until when. */
    public fun trustStatus(): TrustStatus = translated { live.trustStatus() }.toSdk()

    /** The wallets of storage tokens that calls since the start needed or will need, also empty ones. */
    public fun wallets(): List<WalletName> = translated { live.wallets() }.map { it.toSdk() }

    /** How a wallet of storage tokens stands. */
    public suspend fun walletStatus(name: WalletName): WalletStatus =
        awaited { live.walletStatus(name.toGenerated()) }.toSdk()

    /** Fills a wallet. On a schedule, never because a user is about to dial. [refresh] includes it. */
    public suspend fun refillTokens(name: WalletName, deadline: Duration? = null): Refilled =
        awaited { live.refillTokens(name.toGenerated(), deadline?.toMs()) }.toSdk()

    /**
     * Sends stores and polls that mean nothing, at random times, so that real ones cannot be told by their
     * being there. Begin it once, after opening, and keep what is returned. Stores go to numbers whose keys
     * are in memory, because they were called or looked up.
     *
     * @throws RingTrueException `configuration_invalid` for a policy out of range; `randomness_unavailable`;
     *   `cancelled`.
     */
    public fun coverTraffic(power: Power, policy: CoverPolicy = CoverPolicy()): CoverTraffic =
        CoverTraffic(translated { live.coverTraffic(power.toGenerated(), policy.toGenerated()) }, power)

    /**
     * For services that call people back: the holder of [number] has just shown that it has control of it, by
     * a call from it with a good verdict or by a code that was sent to it. Good for one call-back within ten
     * minutes.
     *
     * @throws RingTrueException `malformed_number`; `cancelled`.
     */
    public fun proveControl(number: String): Unit = translated { live.proveControl(number) }

    /**
     * How long to wait before calling [number] back: 5 to 65 s, which nobody can know ahead. Whoever could
     * choose the moment would know when a genuine announcement is pending.
     *
     * @throws RingTrueException `callback_not_proved` unless control of the number was proved and not used
     *   since; `malformed_number`; `randomness_unavailable`; `cancelled`.
     */
    public fun callBackAfter(number: String): Duration =
        translated { live.callBackAfterMs(number) }.signed().milliseconds

    /** Switches fetching off or on: trust bundles, revocation lists and certificates during calls. */
    public fun setFetching(on: Boolean): Unit = translated { live.setFetching(on) }

    /**
     * Everything that should happen some times a day, step by step: trust, the credential's state, keys,
     * who reads them, storage tokens. Emits what came of each step when it is done; a step that fails does
     * not end it. Not collecting further stops the work. [deadline] is for each step.
     *
     * @throws RingTrueException `cancelled`.
     */
    public fun refresh(deadline: Duration? = null): Flow<RefreshStep> = flow {
        if (fetchesTrust) step(RefreshPart.TRUST) { emit(RefreshStep.TrustIsCurrent(updateTrust(deadline))) }
        val status = credentialStatus()
        if (status.state != CredentialState.VALID) emit(RefreshStep.CredentialIsDue(status))
        if (status.state == CredentialState.VALID || status.state == CredentialState.EXPIRING) {
            step(RefreshPart.KEYS) { emit(RefreshStep.KeysArePublished(publishKeys(deadline))) }
        }
        step(RefreshPart.READERS) {
            for (listed in readers(deadline)) {
                if (listed.readers.any { it.isNew && !it.isOwn }) emit(RefreshStep.ReaderIsNew(listed))
            }
        }
        for (name in wallets()) {
            step(RefreshPart.TOKENS) { emit(RefreshStep.TokensAreThere(name, refillTokens(name, deadline))) }
        }
    }

    private suspend inline fun FlowCollector<RefreshStep>.step(part: RefreshPart, work: () -> Unit) {
        try {
            work()
        } catch (e: RingTrueException) {
            if (e.reason == Reason.CANCELLED) throw e
            emit(RefreshStep.HasFailed(part, e.reason))
        }
    }

    /**
     * Stops the client's threads and whatever they do. Calls that run, and calls that come later, fail with
     * `cancelled`. Ends when nothing of the application's is being called any more, after a second at the
     * latest. Repeating it does nothing.
     */
    public suspend fun shutDown() {
        isClosed = true
        try {
            awaited { endpoint.shutDown() }
        } catch (e: RingTrueException) {
            if (e.reason != Reason.CANCELLED) throw e
        }
        endpoint.close()
    }

    /** Stops the same without waiting. */
    override fun close() {
        isClosed = true
        // Undispatched: what runs is stopped before this returns.
        CoroutineScope(Dispatchers.Default).launch(start = CoroutineStart.UNDISPATCHED) { shutDown() }
    }

    override fun toString(): String = "RingTrue(${numbers.size} numbers)"
}
