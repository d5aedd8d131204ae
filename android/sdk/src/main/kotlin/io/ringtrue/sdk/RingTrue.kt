package io.ringtrue.sdk

import io.ringtrue.Endpoint
import kotlin.time.Duration
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
         * replace the built-in ones; [fetchSource] stands in for the network where a URL is fetched.
         *
         * @throws RingTrueException `configuration_invalid` if something is missing or contradicts something
         *   else, `key_mismatch` if the credential is not for the signing key, `malformed_…` for a part that
         *   cannot be read, what path verification says if the credential leads to no anchor,
         *   `state_unavailable`, `signer_failed` or `key_agreement_failed` if a public key cannot be had;
         *   `internal` if the native library is not there or not the one that this code was made for.
         */
        public suspend fun open(
            config: RingTrueConfig,
            keys: DeviceKeys? = null,
            transport: Transport? = null,
            clock: Clock? = null,
            fetchSource: FetchSource? = null,
        ): RingTrue {
            var opened: Endpoint? = null
            try {
                withContext(Dispatchers.IO) {
                    opened = loading {
                        translated {
                            Endpoint.open(
                                config = config.toGenerated(),
                                signer = keys?.signing?.let(::HostSigner),
                                keyAgreement = keys?.agreement?.let(::HostAgreement),
                                transport = transport?.let(::HostTransport),
                                clock = clock?.let(::HostClock),
                                fetchSource = fetchSource?.let(::HostFetchSource),
                            )
                        }
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

        /** A library that is missing, or of another version, is an error like every other. */
        private inline fun <T> loading(call: () -> T): T = try {
            call()
        } catch (e: LinkageError) {
            throw RingTrueException(Reason.WRONG_LIBRARY, e)
        }
    }

    /** The own numbers, canonical: digits without `+` and separators. */
    public val numbers: List<String> = endpoint.numbers()

    /**
     * Reads a number as it is written here and gives the canonical one.
     *
     * @throws RingTrueException `malformed_number`.
     */
    public fun readNumber(text: String): String = translated { endpoint.readNumber(text) }

    /**
     * Announces a call before it is dialled.
     *
     * [wantAnswer] asks the called side to show who answers; it needs published keys of the own.
     * [freshKeys] asks the key directory even if the callee's keys are at hand. When this returns, dial,
     * also after [Placement.UNPROTECTED], within 2 s; then say what becomes of it ([outgoing]).
     *
     * @throws RingTrueException `malformed_number`; `number_not_owned` for a [from] that is not an own
     *   number; `randomness_unavailable`; `cancelled`.
     */
    public suspend fun place(
        from: String,
        to: String,
        wantAnswer: Boolean = false,
        freshKeys: Boolean = false,
        deadline: Duration? = null,
    ): Placed = Placed(translated { endpoint.place(from, to, wantAnswer, freshKeys, deadline?.toMs()) })

    /**
     * The call that was announced, from when it is dialled: waits for the called side to show who it is and
     * takes what becomes of it. [wait] is how long to look for the called side's answer.
     *
     * @throws RingTrueException `cancelled`.
     */
    public fun outgoing(placed: Placed, wait: Duration? = null): OutgoingCall =
        OutgoingCall(translated { endpoint.outgoing(placed.generated.call, wait?.toMs()) })

    /**
     * Waits for the called side to show who answered: the first verified answer, or what is known at the
     * deadline; nothing if no answer was asked for. Instead of [outgoing].
     *
     * @throws RingTrueException `cancelled`.
     */
    public suspend fun awaitAnswer(placed: Placed, deadline: Duration? = null): AnswerOutcome? =
        placed.expectation?.let { translated { endpoint.awaitAnswer(it, deadline?.toMs()) }.toSdk() }

    /**
     * Verifies a ringing call. Returns with the first verdict that decides, by the deadline at the latest.
     *
     * [from] is the calling number as signalling gives it, nothing if it is withheld. [to] is the called
     * number, nothing if the application cannot tell which of its own it was.
     *
     * @throws RingTrueException `number_not_owned` or `malformed_number` for [to]; `cancelled`.
     */
    public suspend fun ring(from: String?, to: String? = null, deadline: Duration? = null): RingingCall =
        RingingCall(translated { endpoint.ring(from, to, deadline?.toMs()) })

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
    ): Answered = translated { endpoint.answer(call.generated, phase.toGenerated(), deadline?.toMs()) }.toSdk()

    /**
     * Publishes the own encryption keys, making them first if there are none or their statement is in the
     * last third of its life. [refresh] includes it.
     *
     * @throws RingTrueException reasons of the credential and the network; `signer_failed`;
     *   `state_unavailable`; `clock_unset`; `deadline_passed`; `cancelled`.
     */
    public suspend fun publishKeys(deadline: Duration? = null): Published =
        translated { endpoint.publishKeys(deadline?.toMs()) }.toSdk()

    /** Makes and publishes new encryption keys. The ones before still open what is sealed to them. */
    public suspend fun rotateKeys(deadline: Duration? = null): Published =
        translated { endpoint.rotateKeys(deadline?.toMs()) }.toSdk()

    /**
     * Learns the keys of a number ahead of a call, so that placing one takes a single request. Returns how
     * many parties can read what is sealed for it.
     *
     * @throws RingTrueException `malformed_number`; `no_usable_key` if none was found, or the reason why
     *   none could be looked for; `cancelled`.
     */
    public suspend fun prefetchKeys(number: String, deadline: Duration? = null): Int =
        translated { endpoint.prefetchKeys(number, deadline?.toMs()) }.toInt()

    /** Asks the key directory who can open what callers seal for the own numbers. */
    public suspend fun readers(deadline: Duration? = null): List<NumberReaders> =
        translated { endpoint.readers(deadline?.toMs()) }.map { it.toSdk() }

    /**
     * Makes a request for a certificate that speaks for all own numbers, signed by the key where it is.
     * Gives PEM (PKCS#10) for the certification authority. [name] stands in clear in the certificate.
     *
     * @throws RingTrueException `signer_failed`; `configuration_invalid` for the name; `cancelled`.
     */
    public suspend fun certificateRequest(name: String? = null): String =
        translated { endpoint.certificateRequest(name) }

    /**
     * Takes a certificate chain into use: PEM, signer first, and the https URL where others find it. It is
     * kept; the next start uses it again. Publish the keys again afterwards.
     *
     * @throws RingTrueException `key_mismatch`; `number_not_covered` and the like; what is wrong with its
     *   path; `malformed_…`; `signer_failed`; `state_unavailable`; `cancelled`.
     */
    public suspend fun installCertificate(chainPem: String, x5u: String): Unit =
        translated { endpoint.installCertificate(chainPem, x5u) }

    /** Whether the client can sign now, until when, and from when on to ask for a new certificate. */
    public fun credentialStatus(): CredentialStatus = translated { endpoint.credentialStatus() }.toSdk()

    /**
     * Gets the operator's trust bundle and the revocation lists that it names. Not while a call is set up.
     *
     * @throws RingTrueException `configuration_invalid` without a trust configuration; `bundle_…`;
     *   `fetching_off` and reasons of the network; `state_unavailable`; `clock_unset`; `cancelled`.
     */
    public suspend fun updateTrust(deadline: Duration? = null): TrustUpdated =
        translated { endpoint.updateTrust(deadline?.toMs()) }.toSdk()

    /** Whom the client believes at present, and until when. */
    public fun trustStatus(): TrustStatus = translated { endpoint.trustStatus() }.toSdk()

    /** The wallets of storage tokens that calls since the start needed or will need, also empty ones. */
    public fun wallets(): List<WalletName> = translated { endpoint.wallets() }.map { it.toSdk() }

    /** How a wallet of storage tokens stands. */
    public suspend fun walletStatus(name: WalletName): WalletStatus =
        translated { endpoint.walletStatus(name.toGenerated()) }.toSdk()

    /** Fills a wallet. On a schedule, never because a user is about to dial. [refresh] includes it. */
    public suspend fun refillTokens(name: WalletName, deadline: Duration? = null): Refilled =
        translated { endpoint.refillTokens(name.toGenerated(), deadline?.toMs()) }.toSdk()

    /** Switches fetching off or on: trust bundles, revocation lists and certificates during calls. */
    public fun setFetching(on: Boolean): Unit = translated { endpoint.setFetching(on) }

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
        try {
            endpoint.shutDown()
        } catch (_: IllegalStateException) {
            return
        }
        endpoint.close()
    }

    /** Stops the same without waiting. */
    override fun close() {
        // Undispatched: what runs is stopped before this returns.
        CoroutineScope(Dispatchers.Default).launch(start = CoroutineStart.UNDISPATCHED) { shutDown() }
    }

    override fun toString(): String = "RingTrue(${numbers.size} numbers)"
}
