// The choices of an endpoint.

public import Foundation
internal import RingTrueFFI

/// The choices of an endpoint. Every member that is left out is what the protocol recommends.
public struct Policy: Sendable, Hashable {
    /// The rules for certificates.
    public enum Profile: String, Sendable, CaseIterable {
        /// Certificates of endpoints: every issuer below the anchor must state its scope.
        case delegate
        /// Service-provider certificates as they are in use.
        case shaken
        /// RFC 8226 and RFC 9060 as they stand.
        case stir
    }

    /// The suites of sealed PASSporTs.
    public enum Suite: String, Sendable, CaseIterable {
        /// P-256, HKDF-SHA256, AES-128-GCM. For keys in hardware.
        case s1 = "S1"
        /// X25519, HKDF-SHA256, ChaCha20-Poly1305.
        case s2 = "S2"
        /// X-Wing (ML-KEM-768 with X25519), HKDF-SHA256, ChaCha20-Poly1305.
        case s3 = "S3"
        /// ML-KEM-768 with P-256, HKDF-SHA256, AES-128-GCM.
        case s4 = "S4"
    }

    /// How far back `iat` may lie.
    public var freshness: Duration?
    /// How far ahead `iat` may lie.
    public var clockSkew: Duration?
    /// The certificate profile that signers are held to.
    public var profile: Profile?
    /// The suites for which the endpoint makes software keys, one key each.
    public var suites: [Suite]?
    /// The life of a published key statement, at most 7 days.
    public var statementLife: Duration?
    /// The time within which a call must be announced, after which it is dialled unprotected.
    public var placeDeadline: Duration?
    /// The longest random delay before a store; zero: none. It keeps whoever watches both the telephone and the network
    /// from joining the two by the time.
    public var storeJitter: Duration?
    /// The time within which a verdict on a ringing call is due.
    public var ringDeadline: Duration?
    /// The time within which an answer must be stored.
    public var answerDeadline: Duration?
    /// The time within which a lookup or a publication must be done.
    public var directoryDeadline: Duration?
    /// How long the caller waits for connected identity.
    public var awaitAnswer: Duration?
    /// The most blobs of one answer that are tried. May only be lowered.
    public var maxBlobs: Int?
    /// The most octets of one answer's body. May only be lowered.
    public var maxAnswerOctets: Int?
    /// The most PASSporTs that are checked for one call.
    public var maxPassports: Int?
    /// Whether certificates that did not travel with a token are fetched during a call from where the caller
    /// says. Shows the caller's host that and where a telephone rings.
    public var fetchCertificates: Bool?
    /// The most URLs that are fetched for one call.
    public var maxFetches: Int?
    /// Whether a signer of whom no current revocation list speaks is refused, where the trust bundle names
    /// issuers of such lists.
    public var requireRevocation: Bool?
    /// Whose key statements are sealed to: SHA-256 of the signers' public keys, 32 octets each. Empty or left
    /// out: everybody who may speak for the called number.
    public var readerSigners: [Data]?
    /// Whether only those are sealed to whose certificate the trust bundle's logs have seen.
    public var requireReaderTransparency: Bool?
    /// The time within which an update of trust must be done.
    public var trustDeadline: Duration?
    /// The most storage tokens that one store may cost.
    public var maxPrice: Int?
    /// The time within which a wallet of storage tokens must be filled.
    public var refillDeadline: Duration?
    /// The time within which a wallet is looked at again after a call or a prefetch, at a random moment.
    /// Zero: the application's own schedule fills wallets.
    public var refillWithin: Duration?
    /// How often a token issuer changes its key. Another value than the default is for laboratories.
    public var issuerRotation: Duration?
    /// A clock that shows an earlier time counts as unset.
    public var earliestTime: Date?

    /// What the protocol recommends; set what shall differ.
    public init() {}

    var ffi: RingTrueFFI.Policy {
        .init(
            freshnessMs: freshness?.wholeMilliseconds,
            clockSkewMs: clockSkew?.wholeMilliseconds,
            profile: profile?.ffi,
            suites: suites.map { $0.map(\.ffi) },
            statementLifeMs: statementLife?.wholeMilliseconds,
            placeDeadlineMs: placeDeadline?.wholeMilliseconds,
            storeJitterMs: storeJitter?.wholeMilliseconds,
            ringDeadlineMs: ringDeadline?.wholeMilliseconds,
            answerDeadlineMs: answerDeadline?.wholeMilliseconds,
            directoryDeadlineMs: directoryDeadline?.wholeMilliseconds,
            awaitAnswerMs: awaitAnswer?.wholeMilliseconds,
            maxBlobs: maxBlobs.map(UInt32.init(clamping:)),
            maxAnswerOctets: maxAnswerOctets.map(UInt32.init(clamping:)),
            maxPassports: maxPassports.map(UInt32.init(clamping:)),
            fetchCertificates: fetchCertificates,
            maxFetches: maxFetches.map(UInt32.init(clamping:)),
            requireRevocation: requireRevocation,
            readerSigners: readerSigners,
            requireReaderTransparency: requireReaderTransparency,
            trustDeadlineMs: trustDeadline?.wholeMilliseconds,
            maxPrice: maxPrice.map(UInt32.init(clamping:)),
            refillDeadlineMs: refillDeadline?.wholeMilliseconds,
            refillWithinMs: refillWithin?.wholeMilliseconds,
            issuerRotationMs: issuerRotation?.wholeMilliseconds,
            earliestTimeUnixS: earliestTime?.unixSeconds
        )
    }
}

extension Policy.Profile {
    fileprivate var ffi: RingTrueFFI.Profile {
        switch self {
        case .delegate: .delegate
        case .shaken: .shaken
        case .stir: .stir
        }
    }
}

extension Policy.Suite {
    fileprivate var ffi: RingTrueFFI.Suite {
        switch self {
        case .s1: .s1
        case .s2: .s2
        case .s3: .s3
        case .s4: .s4
        }
    }
}
