// What a call turned out to be.

internal import RingTrueFFI

/// The verdict on a call.
public enum Verdict: String, Sendable, CaseIterable {
    /// The device clock is not set, so nothing can be judged fresh.
    case clockUnset = "clock_unset"
    /// Good evidence that another fact contradicts; to be shown as unverified, with a warning.
    case conflicting
    /// Verified, and the other side's state and time agree.
    case confirmed
    /// Nothing was found that names this call. Not a sign of fraud.
    case noRecord = "no_record"
    /// Something named this call and failed a check.
    case refused
    /// The service could not be asked in time.
    case unavailable
    /// A PASSporT passed every check for this call.
    case verified

    /// Whether the person may be told that the other side is who it says.
    public var isGood: Bool { self == .verified || self == .confirmed }
}

extension Verdict {
    init(_ ffi: RingTrueFFI.Verdict) {
        self =
            switch ffi {
            case .clockUnset: .clockUnset
            case .conflicting: .conflicting
            case .confirmed: .confirmed
            case .noRecord: .noRecord
            case .refused: .refused
            case .unavailable: .unavailable
            case .verified: .verified
            }
    }
}

/// One step of verification and how it ended.
public struct Check: Sendable, Hashable {
    /// A step, in the order in which the steps are made (RFC 8816 section 8.2).
    public enum Name: String, Sendable, CaseIterable {
        /// The token parses and is of a supported type.
        case ppt
        /// `orig` is the calling number.
        case orig
        /// The signer's certificate leads to an anchor and may sign.
        case credential
        /// The signer's TNAuthList covers the number it speaks for.
        case authority
        /// `iat` is inside the window.
        case freshness
        /// The signature holds and the token is canonical.
        case signature
        /// `dest` holds the called number.
        case dest
        /// The PASSporT was not used for another call.
        case replay
        /// The caller has not reported the call attempt as ended.
        case state
    }

    /// How a step ended.
    public enum Result: Sendable, Hashable {
        /// It does not hold, and why.
        case failed(Reason)
        /// An earlier step failed, so this one was not made.
        case notReached
        /// It holds.
        case passed
    }

    /// The step.
    public let name: Name
    /// How it ended.
    public let result: Result

    init(_ ffi: RingTrueFFI.Check) {
        name =
            switch ffi.check {
            case .ppt: .ppt
            case .orig: .orig
            case .credential: .credential
            case .authority: .authority
            case .freshness: .freshness
            case .signature: .signature
            case .dest: .dest
            case .replay: .replay
            case .state: .state
            }
        result =
            switch ffi.result {
            case .failed(let reason): .failed(Reason(reason))
            case .notReached: .notReached
            case .passed: .passed
            }
    }
}

/// A verdict with everything that led to it. Its text shows the verdict only.
public struct CallVerdict: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// How much was received and opened.
    public struct BlobCounts: Sendable, Hashable {
        /// Well-formed blobs in all answers together, dummies included.
        public let received: Int
        /// Blobs that one of the own keys opened.
        public let opened: Int
    }

    /// The verdict.
    public let verdict: Verdict
    /// Why, and what else is worth knowing; most telling first, without repetition.
    public let reasons: [Reason]
    /// The steps on the PASSporT that decided, or came furthest, in order.
    public let checks: [Check]
    /// The calling number as signalling gave it; never taken from a token.
    public let orig: String?
    /// The called number: the own one that the verdict is about.
    public let dest: String?
    /// How much was received and opened.
    public let blobs: BlobCounts

    public var description: String { "CallVerdict(\(verdict.rawValue))" }
    public var debugDescription: String { description }

    init(_ ffi: RingTrueFFI.CallVerdict) {
        verdict = Verdict(ffi.verdict)
        reasons = ffi.reasons.map(Reason.init)
        checks = ffi.checks.map(Check.init)
        orig = ffi.orig
        dest = ffi.dest
        blobs = BlobCounts(received: Int(ffi.blobs.received), opened: Int(ffi.blobs.opened))
    }
}

/// A state of a call that one side tells the other.
public enum CallPhase: String, Sendable, CaseIterable {
    /// The called telephone rings.
    case alerting
    /// The call was answered.
    case answered
    /// The caller gave up before an answer.
    case gone
}

extension CallPhase {
    init(_ ffi: RingTrueFFI.CallPhase) {
        self =
            switch ffi {
            case .alerting: .alerting
            case .answered: .answered
            case .gone: .gone
            }
    }

    var ffi: RingTrueFFI.CallPhase {
        switch self {
        case .alerting: .alerting
        case .answered: .answered
        case .gone: .gone
        }
    }
}
