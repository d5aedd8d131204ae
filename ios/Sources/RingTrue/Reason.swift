// Reasons and errors: the registry of codes that all languages share.

internal import RingTrueFFI

/// Why something was refused, failed or is worth knowing.
///
/// Translate from `code` or `name`; both are stable, and a later version may know more.
public struct Reason: Sendable, Hashable, CustomStringConvertible {
    /// Who has to act.
    public enum Kind: String, Sendable, CaseIterable {
        /// A defect of this library. Codes 7000 to 7999.
        case `internal`
        /// Input that could not be parsed. Codes 1000 to 1999.
        case malformed
        /// Good in itself, but for another call, number or state. Codes 3000 to 3999.
        case mismatch
        /// The application broke the contract of the interface. Codes 6000 to 6999.
        case misuse
        /// Worth reporting, changes no verdict. Codes 8000 to 8999.
        case notice
        /// Too old or too new. Codes 4000 to 4999.
        case stale
        /// The network, a service, a key store or the state store could not do it. Codes 5000 to 5999.
        case unavailable
        /// A certificate, signature or authority that does not hold. Codes 2000 to 2999.
        case untrusted
    }

    /// The stable number.
    public let code: Code
    /// The stable name, in snake case.
    public let name: String
    /// Who has to act.
    public let kind: Kind
    /// One line for developers, without any data of a call.
    public let detail: String

    /// The stable name.
    public var description: String { name }

    init(_ ffi: RingTrueFFI.Reason) {
        code = Code(rawValue: Int(ffi.code))
        name = ffi.name
        kind = Kind(ffi.kind)
        detail = ffi.detail
    }
}

extension Reason {
    /// The stable number of a reason. The constants are those that applications act on most; the table
    /// of all is in docs/protocol.md.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The number itself.
        public let rawValue: Int

        /// The reason with this number.
        public init(rawValue: Int) {
            self.rawValue = rawValue
        }

        /// What was given as a telephone number is none.
        public static let malformedNumber = Self(rawValue: 1001)
        /// The announcement was already used for another call.
        public static let replayed = Self(rawValue: 3003)
        /// The deadline passed first.
        public static let deadlinePassed = Self(rawValue: 5001)
        /// The signing key could not be used.
        public static let signerFailed = Self(rawValue: 5013)
        /// The encryption key could not be used.
        public static let keyAgreementFailed = Self(rawValue: 5014)
        /// The task was cancelled, or the endpoint shut down.
        public static let cancelled = Self(rawValue: 5019)
        /// The number is not one of the endpoint's own.
        public static let numberNotOwned = Self(rawValue: 6001)
        /// Something is missing in the configuration or contradicts something else.
        public static let configurationInvalid = Self(rawValue: 6002)
        /// Only for a call with a good verdict.
        public static let notVerified = Self(rawValue: 6003)
        /// A defect of this library.
        public static let internalDefect = Self(rawValue: 7001)
        /// The calling number was withheld.
        public static let callerWithheld = Self(rawValue: 8001)
        /// The device clock is not set.
        public static let clockUnset = Self(rawValue: 8007)
        /// The native library is of another version than this package. Of Swift alone; build the application anew.
        public static let libraryMismatch = Self(rawValue: 9101)
    }
}

extension Reason.Kind {
    init(_ ffi: RingTrueFFI.ReasonKind) {
        self =
            switch ffi {
            case .internal: .internal
            case .malformed: .malformed
            case .mismatch: .mismatch
            case .misuse: .misuse
            case .notice: .notice
            case .stale: .stale
            case .unavailable: .unavailable
            case .untrusted: .untrusted
            }
    }
}

/// Why a call of the interface failed. A verdict is no error, and neither is a call that could not be
/// announced.
///
/// `kind` tells who has to act. A cancelled task gets `Reason.Code.cancelled`, as does whoever uses an
/// endpoint that was shut down.
public struct RingTrueError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The stable number.
    public let code: Reason.Code
    /// The stable name, in snake case.
    public let name: String
    /// Who has to act. Never `notice`: a notice that kept something from being done is `unavailable`.
    public let kind: Reason.Kind

    /// For developers: name and number, and nothing of a call.
    public var description: String { "\(name) (\(code.rawValue))" }

    /// Any error that the generated code throws.
    init(_ error: any Error) {
        guard let ffi = error as? RingTrueFFI.RingTrueError else {
            // Only a panic in the library gets here.
            self.init(kind: .internal, code: 7001, name: "internal")
            return
        }
        switch ffi {
        case .Internal(let code, let name): self.init(kind: .internal, code: code, name: name)
        case .Malformed(let code, let name): self.init(kind: .malformed, code: code, name: name)
        case .Mismatch(let code, let name): self.init(kind: .mismatch, code: code, name: name)
        case .Misuse(let code, let name): self.init(kind: .misuse, code: code, name: name)
        case .Stale(let code, let name): self.init(kind: .stale, code: code, name: name)
        case .Unavailable(let code, let name): self.init(kind: .unavailable, code: code, name: name)
        case .Untrusted(let code, let name): self.init(kind: .untrusted, code: code, name: name)
        }
    }

    private init(kind: Reason.Kind, code: UInt32, name: String) {
        self.kind = kind
        self.code = Reason.Code(rawValue: Int(code))
        self.name = name
    }

    /// The task was cancelled before anything was begun.
    static let cancelled = Self(kind: .unavailable, code: 5019, name: "cancelled")

    /// Nothing of the native library may be called.
    static let libraryMismatch = Self(kind: .misuse, code: 9101, name: "library_mismatch")
}
