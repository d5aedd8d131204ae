// The endpoint.

internal import RingTrueFFI

/// A telephone that proves who is calling.
///
/// Its work, network and state store included, is done on threads of its own; whoever calls it only waits, and
/// several calls may be under way at once. Every asynchronous method takes a deadline, or has the policy's, and
/// ends by it whatever the network does. Cancelling the task that waits stops the work and closes its connection;
/// the method then fails with `Reason.Code.cancelled`.
///
/// Letting the endpoint go stops its threads and whatever it still does in the background.
public actor Endpoint {
    let ffi: RingTrueFFI.Endpoint

    private init(_ ffi: RingTrueFFI.Endpoint) {
        self.ffi = ffi
    }

    /// Checks everything and makes the endpoint. Opens the state store, but no connection.
    ///
    /// `signer` is the private key of the credential. `keyAgreement` is a hardware encryption key for suite S1,
    /// instead of keys in the state file. `transport`, `clock` and `fetchSource` replace the built-in ones;
    /// `store` takes the place of the configuration's state file, and needs its state key.
    ///
    /// - Throws: `configuration_invalid` if something is missing or contradicts something else; `key_mismatch` if the
    ///   credential is not for the signer's key; `malformed_…` for a part that cannot be read; what path verification
    ///   says if the credential leads to no anchor; `state_unavailable`; `signer_failed` or `key_agreement_failed` if a
    ///   public key cannot be had; `cancelled`; `library_mismatch` if the native library is of another version.
    public static func open(
        _ config: EndpointConfig,
        signer: (any Signer)? = nil,
        keyAgreement: (any KeyAgreement)? = nil,
        transport: (any Transport)? = nil,
        clock: (any WallClock)? = nil,
        fetchSource: (any FetchSource)? = nil,
        store: (any StateStore)? = nil
    ) async throws(RingTrueError) -> Endpoint {
        try Library.check()
        if Task.isCancelled { throw .cancelled }
        // Opening cannot be interrupted: a key store may be asked. A cancelled task does not wait for it, and what is
        // opened nevertheless is let go, which closes it.
        let opening = AsyncStream<Result<RingTrueFFI.Endpoint, any Error>> { continuation in
            Task {
                do {
                    let opened = try await RingTrueFFI.Endpoint.open(
                        config: config.ffi,
                        signer: signer.map(HostSigner.init),
                        keyAgreement: keyAgreement.map(HostKeyAgreement.init),
                        transport: transport.map(HostTransport.init),
                        clock: clock.map(HostClock.init),
                        fetchSource: fetchSource.map(HostFetchSource.init),
                        store: store.map(HostStore.init)
                    )
                    continuation.yield(.success(opened))
                } catch {
                    continuation.yield(.failure(error))
                }
                continuation.finish()
            }
        }
        for await opened in opening {
            do {
                return Endpoint(try opened.get())
            } catch {
                throw RingTrueError(error)
            }
        }
        throw .cancelled
    }

    /// The own numbers, canonical: digits without `+` and separators.
    public nonisolated var numbers: [String] { ffi.numbers() }

    /// Reads a number as it is written here and gives the canonical one.
    ///
    /// - Throws: `malformed_number`.
    public nonisolated func readNumber(_ text: String) throws(RingTrueError) -> String {
        do { return try ffi.readNumber(text: text) } catch { throw RingTrueError(error) }
    }

    /// Announces a call before it is dialled.
    ///
    /// `from` is one of the own numbers. `wantAnswer` asks the callee to show who answers; it needs published keys of
    /// the own. `freshKeys` asks the key directory even if the callee's keys are at hand. `media` names the own media keys,
    /// for a call whose media travel over IP. When this returns, dial: also if the placement is `unprotected`, which is no
    /// error. Dial within 2 s (`mayBeDialled`), or announce the call anew; then say what becomes of it (`outgoing`).
    /// `CallAnnouncer` does all of that.
    ///
    /// - Throws: `malformed_number`; `malformed_mky` for the media keys; `number_not_owned` for a `from` that is not an own number;
    ///   `randomness_unavailable`; `cancelled`.
    public func place(
        from: String,
        to: String,
        wantAnswer: Bool = false,
        freshKeys: Bool = false,
        media: MediaKeys? = nil,
        deadline: Duration? = nil
    ) async throws(RingTrueError) -> Placed {
        try await run { ffi in
            Placed(
                try await ffi.place(
                    from: from,
                    to: to,
                    wantAnswer: wantAnswer,
                    freshKeys: freshKeys,
                    deadlineMs: deadline?.wholeMilliseconds,
                    media: media?.ffi
                )
            )
        }
    }

    /// Whether the call may still be dialled by its announcement: 2 s after it was placed at the latest. Later, announce it
    /// anew: an announcement that waits is one that somebody else can use.
    public nonisolated func mayBeDialled(_ placed: Placed) -> Bool {
        ffi.mayBeDialled(call: placed.call)
    }

    /// The call that was announced, from when it is dialled: waits for the called side to show who it is and to see the
    /// same call, and takes what becomes of it. `wait` is how long to look for the called side's answer, or the policy's.
    ///
    /// Instead of `awaitAnswer`. Also for a call that is unprotected: then there is nothing to wait for and nobody to
    /// tell.
    public nonisolated func outgoing(_ placed: Placed, wait: Duration? = nil) -> OutgoingCall {
        OutgoingCall(ffi.outgoing(call: placed.call, waitMs: wait?.wholeMilliseconds))
    }

    /// Waits for the called side to show who answered. Ends with the first verified answer or at the deadline; nothing
    /// if no answer was asked for. It never hangs up: what a verdict means for the call is the application's business.
    ///
    /// - Throws: `cancelled`.
    public func awaitAnswer(
        to placed: Placed,
        deadline: Duration? = nil
    ) async throws(RingTrueError) -> AnswerOutcome? {
        guard let expected = placed.answer else { return nil }
        return try await run { ffi in
            AnswerOutcome(
                try await ffi.awaitAnswer(expected: expected, deadlineMs: deadline?.wholeMilliseconds)
            )
        }
    }

    /// Verifies a ringing call. Returns with the first verdict that decides, by the deadline at the latest.
    ///
    /// `from` is the calling number as signalling gives it, nothing if it is withheld. `to` is the called number, nothing
    /// if it cannot be told which of the own it was. Cancelling the task before it returns stops everything; afterwards the
    /// mailbox is polled on in the background for some seconds, whatever was found.
    ///
    /// - Throws: `number_not_owned` or `malformed_number` for `to`; `cancelled`. A calling number that is no number counts
    ///   as withheld.
    public func ring(
        from: String?,
        to: String? = nil,
        deadline: Duration? = nil
    ) async throws(RingTrueError) -> RingingCall {
        try await run { ffi in
            RingingCall(try await ffi.ring(from: from, to: to, deadlineMs: deadline?.wholeMilliseconds))
        }
    }

    /// Shows the caller who is here: connected identity. Only for a call with a good verdict whose caller asked, and only
    /// if the user or the application's policy allows it.
    ///
    /// - Throws: `not_verified` without a good verdict; `rsp_not_requested` if the caller did not ask;
    ///   `configuration_invalid` for a phase that is not the callee's to report; `cancelled`.
    public func answer(
        _ call: RingingCall,
        phase: CallPhase,
        deadline: Duration? = nil
    ) async throws(RingTrueError) -> Answered {
        try await run { ffi in
            Answered(
                try await ffi.answer(
                    call: call.ffi, phase: phase.ffi, deadlineMs: deadline?.wholeMilliseconds)
            )
        }
    }

    /// Publishes the own encryption keys, making them first if there are none or their statement is in the last third of
    /// its life. Call it at start and then some times a day.
    ///
    /// - Throws: `credential_unavailable` and other reasons of the credential; `signer_failed`; `statement_rejected`,
    ///   `statement_superseded` and reasons of the network; `state_unavailable`; `clock_unset`; `deadline_passed`;
    ///   `cancelled`.
    @discardableResult
    public func publishKeys(deadline: Duration? = nil) async throws(RingTrueError) -> PublishedKeys {
        try await run { ffi in
            PublishedKeys(try await ffi.publishKeys(deadlineMs: deadline?.wholeMilliseconds))
        }
    }

    /// Makes and publishes new encryption keys. The ones before still open what is sealed to them.
    ///
    /// - Throws: As for `publishKeys`.
    @discardableResult
    public func rotateKeys(deadline: Duration? = nil) async throws(RingTrueError) -> PublishedKeys {
        try await run { ffi in
            PublishedKeys(try await ffi.rotateKeys(deadlineMs: deadline?.wholeMilliseconds))
        }
    }

    /// Learns the keys of a number ahead of a call, so that placing one takes a single request. Returns how many parties
    /// can read what is sealed for it.
    ///
    /// - Throws: `malformed_number`; `no_usable_key` if no key was found, or the reason why none could be looked for;
    ///   `cancelled`.
    @discardableResult
    public func prefetchKeys(of number: String, deadline: Duration? = nil) async throws(RingTrueError) -> Int {
        try await run { ffi in
            Int(try await ffi.prefetchKeys(number: number, deadlineMs: deadline?.wholeMilliseconds))
        }
    }

    /// Asks the key directory who can open what callers seal for the own numbers. Show it to the user, and tell
    /// `reader_added`, which comes once for each new reader. One entry for each own number.
    ///
    /// - Throws: `cancelled`. What went wrong otherwise is among the notices.
    public func readers(deadline: Duration? = nil) async throws(RingTrueError) -> [NumberReaders] {
        try await run { ffi in
            try await ffi.readers(deadlineMs: deadline?.wholeMilliseconds).map(NumberReaders.init)
        }
    }

    /// Makes a request for a certificate that speaks for all own numbers, signed by the signer. Gives PEM (PKCS#10) to send
    /// to the certification authority. `name` stands in clear in the certificate and must hold no telephone number.
    ///
    /// - Throws: `signer_failed` without a signer, or if it cannot sign; `configuration_invalid` for the name; `cancelled`.
    public func certificateRequest(name: String? = nil) async throws(RingTrueError) -> String {
        try await run { ffi in try await ffi.certificateRequest(name: name) }
    }

    /// Takes a certificate chain into use: PEM, signer first, and the https URL where others find it. Key, path and scope are
    /// checked, and the chain is kept before it is used. Publish the keys again afterwards.
    ///
    /// - Throws: `key_mismatch`; `number_not_covered` and the like; whatever is wrong with its path; `malformed_…`;
    ///   `signer_failed` without a signer; `state_unavailable`, and then the one before stays in use; `cancelled`.
    public func installCertificate(chainPem: String, x5u: String) async throws(RingTrueError) {
        try await run { ffi in try await ffi.installCertificate(chainPem: chainPem, x5u: x5u) }
    }

    /// Whether the endpoint can sign now, until when, and from when on to ask for a new certificate.
    public nonisolated var credentialStatus: CredentialStatus { CredentialStatus(ffi.credentialStatus()) }

    /// Gets the operator's trust bundle and the revocation lists that it names, keeps them and takes them into use. Not while a
    /// call is set up; once a day is enough for most bundles.
    ///
    /// - Throws: Then the bundle before stays in use until it expires. `configuration_invalid` without a trust configuration;
    ///   `bundle_untrusted`, `malformed_trust_bundle`, `bundle_expired`, `bundle_rollback`; `fetching_off` and reasons of the
    ///   network; `state_unavailable`; `clock_unset`; `deadline_passed`; `cancelled`.
    @discardableResult
    public func updateTrust(deadline: Duration? = nil) async throws(RingTrueError) -> TrustUpdated {
        try await run { ffi in
            TrustUpdated(try await ffi.updateTrust(deadlineMs: deadline?.wholeMilliseconds))
        }
    }

    /// Whom the endpoint believes at present, and until when.
    public nonisolated var trustStatus: TrustStatus { TrustStatus(ffi.trustStatus()) }

    /// Switches fetching off or on: trust bundles, revocation lists and certificates during calls. It is on at first, for what
    /// the configuration lets be fetched at all.
    public nonisolated func setFetching(_ on: Bool) {
        ffi.setFetching(on: on)
    }

    /// The wallets of storage tokens that calls since the start needed or will need, also empty ones.
    public nonisolated var wallets: [WalletName] { ffi.wallets().map(WalletName.init) }

    /// How a wallet of storage tokens stands.
    ///
    /// - Throws: What is wrong with the name; `clock_unset`; `state_unavailable`, `record_not_opened`, `malformed_record`;
    ///   `cancelled`.
    public func walletStatus(_ name: WalletName) async throws(RingTrueError) -> WalletStatus {
        try await run { ffi in WalletStatus(try await ffi.walletStatus(name: name.ffi)) }
    }

    /// Fills a wallet of storage tokens up to the stock now. The endpoint does that by itself; call it at set-up or on a
    /// schedule, never because a user is about to dial: the issuer would learn when the credential's holder telephones.
    ///
    /// - Throws: What is wrong with the name; `cancelled`. What went wrong otherwise is among the reasons.
    @discardableResult
    public func refillTokens(_ name: WalletName, deadline: Duration? = nil) async throws(RingTrueError) -> Refilled {
        try await run { ffi in
            Refilled(
                try await ffi.refillTokens(name: name.ffi, deadlineMs: deadline?.wholeMilliseconds))
        }
    }

    /// Stops the endpoint's threads and whatever they do. Calls that run, and calls that come later, fail with `cancelled`.
    /// Repeating it does nothing. Returns when nothing of the application's is being called any more, after a second at the
    /// latest.
    public nonisolated func shutDown() async {
        await ffi.shutDown()
    }

    /// Runs work that stops when the task that waits is cancelled: the generated code does not pass cancellation on.
    func run<Outcome: Sendable>(
        _ work: @Sendable (RingTrueFFI.Endpoint) async throws -> Outcome
    ) async throws(RingTrueError) -> Outcome {
        let cancellation = Cancellation()
        let endpoint = ffi.cancelledBy(cancellation: cancellation)
        do {
            return try await withTaskCancellationHandler {
                try await work(endpoint)
            } onCancel: {
                cancellation.cancel()
            }
        } catch {
            throw RingTrueError(error)
        }
    }
}
