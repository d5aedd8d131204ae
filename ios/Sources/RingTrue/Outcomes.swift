// What came of placing, answering, waiting and publishing.

public import Foundation
internal import RingTrueFFI

/// Whether a call was announced.
public enum Placement: String, Sendable, CaseIterable {
    /// At least one copy is visible to the callee: dial.
    case stored
    /// Nothing was announced. The call may still be dialled; the reasons say why.
    case unprotected
}

/// What came of placing a call. Its text shows whether it was announced only.
public struct Placed: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Whether the call was announced.
    public let placement: Placement
    /// Why not, or what else is worth knowing.
    public let reasons: [Reason]
    /// The calling number, one of the endpoint's own.
    public let orig: String
    /// The called number.
    public let dest: String
    /// How many sealed copies are stored.
    public let copies: Int
    /// Whether the called side was asked to show who answers, so that `Endpoint.awaitAnswer` has something
    /// to wait for.
    public var expectsAnswer: Bool { answer != nil }

    let answer: RingTrueFFI.AnswerExpectation?
    let call: RingTrueFFI.PlacedCall

    public var description: String { "Placed(\(placement.rawValue))" }
    public var debugDescription: String { description }

    init(_ ffi: RingTrueFFI.Placed) {
        placement =
            switch ffi.placement {
            case .stored: .stored
            case .unprotected: .unprotected
            }
        reasons = ffi.reasons.map(Reason.init)
        orig = ffi.orig
        dest = ffi.dest
        copies = Int(ffi.copies)
        answer = ffi.answer
        call = ffi.call
    }
}

/// What the other side says of its call.
public struct CallState: Sendable, Hashable {
    /// The state.
    public let phase: CallPhase
    /// Since when: by the placement service's clock, or by the sender's own.
    public let since: Date

    init(_ ffi: RingTrueFFI.CallState) {
        phase = CallPhase(ffi.phase)
        since = Date(unixMilliseconds: ffi.sinceUnixMs)
    }
}

/// The verdict on who answered.
public struct AnswerOutcome: Sendable, Hashable {
    /// The verdict; `orig` is the own number, `dest` the dialled one.
    public let verdict: CallVerdict
    /// What the called side says of its call, and since when.
    public let state: CallState?

    init(_ ffi: RingTrueFFI.AnswerOutcome) {
        verdict = CallVerdict(ffi.verdict)
        state = ffi.state.map(CallState.init)
    }
}

/// What came of answering.
public struct Answered: Sendable, Hashable {
    /// Whether the caller can now fetch who answered.
    public let sent: Bool
    /// Whether the caller has reported meanwhile that it ended its call: then this one is not its.
    public let callerGone: Bool
    /// Why nothing was sent, or what else is worth knowing.
    public let reasons: [Reason]

    init(_ ffi: RingTrueFFI.Answered) {
        sent = ffi.sent
        callerGone = ffi.callerGone
        reasons = ffi.reasons.map(Reason.init)
    }
}

/// What came of publishing. Its text shows the count of numbers only.
public struct PublishedKeys: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The numbers whose directory entry is now the current statement.
    public let numbers: [String]
    /// When the statement expires. Publish again before.
    public let expires: Date
    /// Whether new keys were made.
    public let rotated: Bool
    /// What is worth knowing.
    public let notices: [Reason]

    public var description: String { "PublishedKeys(\(numbers.count) numbers)" }
    public var debugDescription: String { description }

    init(_ ffi: RingTrueFFI.Published) {
        numbers = ffi.numbers
        expires = Date(unixSeconds: ffi.expUnixS)
        rotated = ffi.rotated
        notices = ffi.notices.map(Reason.init)
    }
}

/// Who can open calls to one own number. Its text shows nothing of it.
public struct NumberReaders: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Somebody to whom callers seal. Its text shows nothing of it.
    public struct Reader: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
        /// SHA-256 of the public key in the certificate, 32 octets.
        public let signer: Data
        /// The subject of the certificate, for people. Nobody but its issuer vouches for it.
        public let subject: String
        /// The suites of the keys, by name.
        public let suites: [String]
        /// Until when the statement holds.
        public let expires: Date
        /// Since when this endpoint lists the reader.
        public let since: Date?
        /// Whether it is this endpoint itself.
        public let isOwn: Bool
        /// Whether it was not there, or not noticed, when readers were listed last.
        public let isNew: Bool

        public var description: String { "Reader(..)" }
        public var debugDescription: String { description }

        init(_ ffi: RingTrueFFI.Reader) {
            signer = ffi.signer
            subject = ffi.subject
            suites = ffi.suites
            expires = Date(unixSeconds: ffi.expiresUnixS)
            since = ffi.sinceUnixS.map(Date.init(unixSeconds:))
            isOwn = ffi.isOwn
            isNew = ffi.isNew
        }
    }

    /// The own number.
    public let number: String
    /// Everybody whose key statement is live, this endpoint among them.
    public let readers: [Reader]
    /// What is worth knowing: `reader_added` if somebody is new, and why a directory could not be asked.
    public let notices: [Reason]

    public var description: String { "NumberReaders(\(readers.count) readers)" }
    public var debugDescription: String { description }

    init(_ ffi: RingTrueFFI.NumberReaders) {
        number = ffi.number
        readers = ffi.readers.map(Reader.init)
        notices = ffi.notices.map(Reason.init)
    }
}

/// How the endpoint's credential stands.
public struct CredentialStatus: Sendable, Hashable {
    /// Whether the endpoint can sign.
    public enum State: String, Sendable, CaseIterable {
        /// Its certificate, or one above it, has expired.
        case expired
        /// Good, and in the last third of its life: ask for a new one.
        case expiring
        /// There is none.
        case missing
        /// Its certificate, or one above it, is not valid yet.
        case notYetValid = "not_yet_valid"
        /// It does not hold by what the endpoint itself trusts. Nothing is signed with it.
        case untrusted
        /// Good.
        case valid
    }

    /// Whether the endpoint can sign now.
    public let state: State
    /// Why not, or that it will end soon; nothing with a valid one.
    public let reason: Reason?
    /// The last second at which it is valid.
    public let expires: Date?
    /// From when on a new certificate should be asked for.
    public let renewFrom: Date?

    init(_ ffi: RingTrueFFI.CredentialStatus) {
        state =
            switch ffi.state {
            case .expired: .expired
            case .expiring: .expiring
            case .missing: .missing
            case .notYetValid: .notYetValid
            case .untrusted: .untrusted
            case .valid: .valid
            }
        reason = ffi.reason.map(Reason.init)
        expires = ffi.expiresUnixS.map(Date.init(unixSeconds:))
        renewFrom = ffi.renewFromUnixS.map(Date.init(unixSeconds:))
    }
}

/// Whom an endpoint believes at present.
public struct TrustStatus: Sendable, Hashable {
    /// The number of the trust bundle in use; nothing while the configured anchors are.
    public let version: UInt64?
    /// When the bundle ends. From then on nobody is verified until a newer one was got.
    public let expires: Date?
    /// How many revocation lists are at hand.
    public let revocationLists: Int
    /// When the first of them is outdated.
    public let nextUpdate: Date?

    init(_ ffi: RingTrueFFI.TrustStatus) {
        version = ffi.version
        expires = ffi.expiresUnixS.map(Date.init(unixSeconds:))
        revocationLists = Int(ffi.revocationLists)
        nextUpdate = ffi.nextUpdateUnixS.map(Date.init(unixSeconds:))
    }
}

/// What came of an update of trust.
public struct TrustUpdated: Sendable, Hashable {
    /// The number of the bundle in use.
    public let version: UInt64
    /// Whether it is another one than before.
    public let isNew: Bool
    /// When it ends. Update again well before.
    public let expires: Date
    /// How many revocation lists are at hand.
    public let revocationLists: Int
    /// When the first of them is outdated. Update again before.
    public let nextUpdate: Date?
    /// What went wrong with single revocation lists. The ones before stay in use.
    public let reasons: [Reason]

    init(_ ffi: RingTrueFFI.TrustUpdated) {
        version = ffi.version
        isNew = ffi.isNew
        expires = Date(unixSeconds: ffi.expiresUnixS)
        revocationLists = Int(ffi.revocationLists)
        nextUpdate = ffi.nextUpdateUnixS.map(Date.init(unixSeconds:))
        reasons = ffi.reasons.map(Reason.init)
    }
}

/// Names a wallet of storage tokens: of this issuer, good at this service. Its text shows nothing of it.
public struct WalletName: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Whose tokens: the authority of the issuer's base URL, `tokens.example`.
    public let issuer: String
    /// Where they are good: the authority of the placement service, `cps.example`.
    public let service: String

    /// Names a wallet; the name is checked when it is used.
    public init(issuer: String, service: String) {
        self.issuer = issuer
        self.service = service
    }

    public var description: String { "WalletName(..)" }
    public var debugDescription: String { description }

    init(_ ffi: RingTrueFFI.WalletName) {
        self.init(issuer: ffi.issuer, service: ffi.service)
    }

    var ffi: RingTrueFFI.WalletName { .init(issuer: issuer, service: service) }
}

/// How a wallet stands.
public struct WalletStatus: Sendable, Hashable {
    /// Which wallet.
    public let name: WalletName
    /// How many tokens are good now.
    public let tokens: Int
    /// When the last of them ends.
    public let end: Date?

    init(_ ffi: RingTrueFFI.WalletStatus) {
        name = WalletName(ffi.name)
        tokens = Int(ffi.tokens)
        end = ffi.endUnixS.map(Date.init(unixSeconds:))
    }
}

/// What came of filling a wallet.
public struct Refilled: Sendable, Hashable {
    /// How many tokens came.
    public let added: Int
    /// How many are in stock now.
    public let stock: Int
    /// What went wrong, if anything.
    public let reasons: [Reason]

    init(_ ffi: RingTrueFFI.Refilled) {
        added = Int(ffi.added)
        stock = Int(ffi.stock)
        reasons = ffi.reasons.map(Reason.init)
    }
}
