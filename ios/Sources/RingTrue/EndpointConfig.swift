// What an endpoint is made of. Whatever is left out has the library's default.

public import Foundation
internal import RingTrueFFI

/// What an endpoint needs, apart from keys. Its text shows nothing of it.
public struct EndpointConfig: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The own numbers, 1 to 32.
    public var numbers: [String]
    /// Base URLs of the own placement services, 1 to 4 in order of preference. The first is the key
    /// directory as well, unless `directory` names another.
    public var services: [String]
    /// STI trust anchors, each text PEM with one or more certificates.
    public var anchorsPem: [String]
    /// The file that keeps keys and what is known of others. An application and its extension share it in
    /// the container of their application group. Left out only where the application gives a `StateStore`.
    public var stateFile: String?
    /// 32 octets that seal the state file; `KeychainStateKey` keeps them. Without it the key is in a file
    /// beside the state file: leave both out of backups then. With another key the endpoint begins anew. A `StateStore`
    /// needs it.
    public var stateKey: Data?
    /// The STIR credential. Without one the endpoint can verify but neither place nor answer. Comes with a
    /// signer. One that was installed later and lasts longer is used instead.
    public var credential: Credential?
    /// The base URL of the key directory.
    public var directory: String?
    /// The base URL of a second key directory, of another operator. Lookups compare the two.
    public var mirrorDirectory: String?
    /// Leaves every announcement at this service, instead of the one that the callee's key statement names.
    public var placement: String?
    /// The base URL of the relay that carries lookups, stores and retrievals. One of this and `allowDirect`
    /// is required.
    public var relay: String?
    /// Services that are reached through another relay, or whose gateway the relay knows by another name than the one
    /// by the rule.
    public var relays: [ServiceRelay] = []
    /// Whether services may be asked directly, without the relay: they then see the address of the telephone
    /// together with the numbers it asks for.
    public var allowDirect = false
    /// How numbers are written here. Without it they must be global: nothing is guessed.
    public var numberContext: NumberContext?
    /// How the built-in HTTP client connects.
    public var http: HttpSettings?
    /// Where trust bundles come from, instead of anchors in the application.
    public var trust: TrustConfig?
    /// How trust bundles, revocation lists and, if the policy allows it, certificates are fetched.
    public var fetchHttp: HttpSettings?
    /// The issuer whose storage tokens the own services want, by the authority of its base URL.
    public var tokenIssuer: String?
    /// How many storage tokens are kept in stock for each issuer and service: 20 to 100.
    public var tokenStock: Int?
    /// Limits, times and suites.
    public var policy = Policy()

    /// The members that have no default; set the others afterwards.
    public init(numbers: [String], services: [String], anchorsPem: [String], stateFile: String? = nil) {
        self.numbers = numbers
        self.services = services
        self.anchorsPem = anchorsPem
        self.stateFile = stateFile
    }

    public var description: String { "EndpointConfig(..)" }
    public var debugDescription: String { description }

    var ffi: RingTrueFFI.EndpointConfig {
        .init(
            numbers: numbers,
            services: services,
            anchorsPem: anchorsPem,
            stateFile: stateFile,
            stateKey: stateKey,
            credential: credential.map { .init(chainPem: $0.chainPem, x5u: $0.x5u) },
            directory: directory,
            mirrorDirectory: mirrorDirectory,
            placement: placement,
            relay: relay,
            relays: relays.map(\.ffi),
            allowDirect: allowDirect,
            numberContext: numberContext?.ffi,
            http: http?.ffi,
            trust: trust?.ffi,
            fetchHttp: fetchHttp?.ffi,
            tokenIssuer: tokenIssuer,
            tokenStock: tokenStock.map(UInt32.init(clamping:)),
            policy: policy.ffi
        )
    }
}

/// The STIR credential. Its text shows nothing of it.
public struct Credential: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The certificate chain as PEM, signer first.
    public var chainPem: String
    /// The https URL where others find it.
    public var x5u: String

    /// A credential; it is checked when the endpoint is opened.
    public init(chainPem: String, x5u: String) {
        self.chainPem = chainPem
        self.x5u = x5u
    }

    public var description: String { "Credential(..)" }
    public var debugDescription: String { description }
}

/// The relay of one service.
public struct ServiceRelay: Sendable, Hashable {
    /// The base URL of the service.
    public var service: String
    /// The base URL of the relay that reaches it.
    public var relay: String
    /// The name by which that relay knows the service's gateway.
    public var name: String

    /// A relay; it is checked when the endpoint is opened.
    public init(service: String, relay: String, name: String) {
        self.service = service
        self.relay = relay
        self.name = name
    }

    var ffi: RingTrueFFI.ServiceRelay { .init(service: service, relay: relay, name: name) }
}

/// How numbers are written where the application is. The application states it; it is never guessed.
public struct NumberContext: Sendable, Hashable {
    /// 1 to 3 digits: `1` or `44`.
    public var countryCode: String
    /// What precedes a national number: `0`, `1`, or empty where there is none.
    public var trunkPrefix: String
    /// What precedes a country code when dialling abroad: `00`, `011`.
    public var internationalPrefix: String
    /// The lengths, in digits, of national numbers that are written without the trunk prefix: 10 in North
    /// America, 8 in Denmark; empty where that does not occur.
    public var bareNationalLengths: [Int]

    /// A context; it is checked when the endpoint is opened.
    public init(
        countryCode: String,
        trunkPrefix: String,
        internationalPrefix: String,
        bareNationalLengths: [Int] = []
    ) {
        self.countryCode = countryCode
        self.trunkPrefix = trunkPrefix
        self.internationalPrefix = internationalPrefix
        self.bareNationalLengths = bareNationalLengths
    }

    var ffi: RingTrueFFI.NumberContext {
        .init(
            countryCode: countryCode,
            trunkPrefix: trunkPrefix,
            internationalPrefix: internationalPrefix,
            bareNationalLengths: bareNationalLengths.map(UInt32.init(clamping:))
        )
    }
}

/// How the built-in HTTP client connects.
public struct HttpSettings: Sendable, Hashable {
    /// Roots in addition to the web's, each text PEM with one or more certificates.
    public var extraRootsPem: [String]
    /// Whether the roots of the web, as built in, are trusted. They are unless this says no.
    public var webRoots: Bool?
    /// Allows connections to the same machine. For tests.
    public var allowLoopback: Bool
    /// Allows connections to private networks. For services inside one.
    public var allowPrivate: Bool
    /// The longest time for one connection: name resolution, TCP and TLS.
    public var connectTimeout: Duration?

    /// Settings; what is left out has the library's default.
    public init(
        extraRootsPem: [String] = [],
        webRoots: Bool? = nil,
        allowLoopback: Bool = false,
        allowPrivate: Bool = false,
        connectTimeout: Duration? = nil
    ) {
        self.extraRootsPem = extraRootsPem
        self.webRoots = webRoots
        self.allowLoopback = allowLoopback
        self.allowPrivate = allowPrivate
        self.connectTimeout = connectTimeout
    }

    var ffi: RingTrueFFI.HttpSettings {
        .init(
            extraRootsPem: extraRootsPem,
            webRoots: webRoots,
            allowLoopback: allowLoopback,
            allowPrivate: allowPrivate,
            connectTimeoutMs: connectTimeout?.wholeMilliseconds
        )
    }
}

/// Where trust bundles come from, and whose signature counts. A bundle replaces the configured anchors as
/// soon as one is accepted.
public struct TrustConfig: Sendable, Hashable {
    /// The https URL of the bundle.
    public var bundleUrl: String
    /// 1 to 8 public keys, each text one PEM block `PUBLIC KEY`: one in use, others for a change of keys.
    public var keysPem: [String]
    /// A bundle that comes with the application, for the time before the first one is fetched.
    public var shippedBundle: String?

    /// Where to look; it is checked when the endpoint is opened.
    public init(bundleUrl: String, keysPem: [String], shippedBundle: String? = nil) {
        self.bundleUrl = bundleUrl
        self.keysPem = keysPem
        self.shippedBundle = shippedBundle
    }

    var ffi: RingTrueFFI.TrustConfig {
        .init(bundleUrl: bundleUrl, keysPem: keysPem, shippedBundle: shippedBundle)
    }
}
