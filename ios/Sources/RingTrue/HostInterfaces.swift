// What an application may supply instead of the library's own: HTTP, the clock, a source of files.

public import Foundation
internal import RingTrueFFI

/// Which conversation a connection serves. Connections of different roles share nothing.
public enum Role: String, Sendable, CaseIterable {
    /// Reading what is the same for everybody: a token issuer's or a gateway's keys.
    case configuration
    /// Getting storage tokens from their issuer.
    case issue
    /// Looking up keys.
    case lookup
    /// Publishing own keys.
    case publish
    /// Fetching the own mailbox.
    case retrieve
    /// Leaving sealed PASSporTs.
    case store
}

/// One header. Its text shows the name only.
public struct HttpHeader: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The name; in lower case in requests.
    public var name: String
    /// The value.
    public var value: String

    /// A header.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    public var description: String { "HttpHeader(\(name))" }
    public var debugDescription: String { description }
}

/// A request to send as it is. Its text shows neither URL nor body: both tell whom a call is for.
public struct HttpRequest: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The methods in use.
    public enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
    }

    /// The method.
    public let method: Method
    /// The absolute `https` URL.
    public let url: String
    /// The headers.
    public let headers: [HttpHeader]
    /// The body; empty if there is none.
    public let body: Data

    public var description: String { "HttpRequest(\(body.count) octets)" }
    public var debugDescription: String { description }

    init(_ ffi: RingTrueFFI.HttpRequest) {
        method =
            switch ffi.method {
            case .get: .get
            case .post: .post
            case .put: .put
            }
        url = ffi.url
        headers = ffi.headers.map { HttpHeader(name: $0.name, value: $0.value) }
        body = ffi.body
    }
}

/// An answer as it was received. Its text shows status and size only.
public struct HttpResponse: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The status code.
    public var status: Int
    /// The headers.
    public var headers: [HttpHeader]
    /// The body; empty if there is none.
    public var body: Data

    /// An answer.
    public init(status: Int, headers: [HttpHeader] = [], body: Data = Data()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public var description: String { "HttpResponse(\(status), \(body.count) octets)" }
    public var debugDescription: String { description }
}

/// Why a transport has no answer. Any other error counts as `unreachable`.
public enum TransportError: Error, Sendable, CaseIterable {
    /// The address is one that the library would not connect to.
    case addressNotAllowed
    /// The body is longer than was asked for.
    case answerTooLarge
    /// The time was up.
    case deadlinePassed
    /// The service redirected.
    case redirected
    /// The service's TLS certificate or handshake was not accepted.
    case tlsFailed
    /// No connection to the service.
    case unreachable
}

/// HTTP of the application's own, instead of the built-in client.
///
/// Called on a thread of the library that may block. An implementation uses TLS 1.3, follows no redirects,
/// keeps no cookies, asks for no compression, adds no header that tells one device from another, and shares
/// neither connections nor TLS sessions between roles. It also answers for the address rule: addresses that
/// come from other parties must be public.
public protocol Transport: Sendable {
    /// Sends `request` and reads at most `maxAnswerOctets` of body, within `timeLeft`.
    func execute(
        role: Role,
        request: HttpRequest,
        maxAnswerOctets: Int,
        timeLeft: Duration
    ) throws -> HttpResponse
}

/// Tells the calendar time, where the application knows better than the operating system.
///
/// Called on a thread of the library, often: it returns at once.
public protocol WallClock: Sendable {
    /// The time; nothing if it is not known. Throwing means the same.
    func now() throws -> Date?
}

/// Gets what a URL refers to in the place of the network: an operator's proxy, or a store that the application
/// fills ahead of calls. What it returns is verified like what the network returns.
public protocol FetchSource: Sendable {
    /// Gets what is behind `url` within `timeLeft`.
    func get(kind: FetchKind, url: String, timeLeft: Duration) throws -> Delivered
}

/// A kind of content behind a URL.
public enum FetchKind: String, Sendable, CaseIterable {
    /// The certificates of a signer: PEM, or DER of one certificate.
    case certificatePath = "certificate_path"
    /// A certificate revocation list.
    case crl
    /// Anything else, of a later version.
    case other
    /// An operator's trust bundle.
    case trustBundle = "trust_bundle"
}

/// What was got. Its text shows the size only.
public struct Delivered: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The content.
    public var octets: Data
    /// How long it may be kept in memory, if that is known. Bounded by the kind.
    public var keep: Duration?

    /// Content, and how long it may be kept.
    public init(octets: Data, keep: Duration? = nil) {
        self.octets = octets
        self.keep = keep
    }

    public var description: String { "Delivered(\(octets.count) octets)" }
    public var debugDescription: String { description }
}

/// Why a source has nothing. Any other error counts as `unreachable`.
public enum FetchError: Error, Sendable, CaseIterable {
    /// The time was up.
    case deadlinePassed
    /// There is nothing under this URL.
    case notFound
    /// The source does not want to ask now.
    case off
    /// No connection.
    case unreachable
}

/// What a part of the application's gives. Whatever it throws, the library learns only that it failed.
func orFailed<Given>(_ part: () throws -> Given) throws -> Given {
    do { return try part() } catch { throw HostError.Failed }
}

/// The application's transport as the generated code wants it.
final class HostTransport: RingTrueFFI.Transport {
    private let transport: any Transport

    init(_ transport: any Transport) {
        self.transport = transport
    }

    func execute(
        role: RingTrueFFI.Role,
        request: RingTrueFFI.HttpRequest,
        maxAnswerOctets: UInt64,
        timeLeftMs: UInt64
    ) throws -> RingTrueFFI.HttpResponse {
        do {
            let answer = try transport.execute(
                role: Role(role),
                request: HttpRequest(request),
                maxAnswerOctets: Int(clamping: maxAnswerOctets),
                timeLeft: .milliseconds(Int64(clamping: timeLeftMs))
            )
            return .init(
                status: UInt32(clamping: answer.status),
                headers: answer.headers.map { .init(name: $0.name, value: $0.value) },
                body: answer.body
            )
        } catch let error as TransportError {
            throw error.ffi
        } catch {
            throw RingTrueFFI.TransportError.Unreachable
        }
    }
}

/// The application's clock as the generated code wants it.
final class HostClock: RingTrueFFI.Clock {
    private let clock: any WallClock

    init(_ clock: any WallClock) {
        self.clock = clock
    }

    func nowUnixMs() throws -> UInt64? {
        try orFailed { try clock.now()?.unixMilliseconds }
    }
}

/// The application's source as the generated code wants it.
final class HostFetchSource: RingTrueFFI.FetchSource {
    private let source: any FetchSource

    init(_ source: any FetchSource) {
        self.source = source
    }

    func get(kind: RingTrueFFI.FetchKind, url: String, timeLeftMs: UInt64) throws -> RingTrueFFI.Delivered {
        do {
            let timeLeft = Duration.milliseconds(Int64(clamping: timeLeftMs))
            let delivered = try source.get(kind: FetchKind(kind), url: url, timeLeft: timeLeft)
            return .init(octets: delivered.octets, keepMs: delivered.keep?.wholeMilliseconds)
        } catch let error as FetchError {
            throw error.ffi
        } catch {
            throw RingTrueFFI.FetchError.Unreachable
        }
    }
}

extension Role {
    fileprivate init(_ ffi: RingTrueFFI.Role) {
        self =
            switch ffi {
            case .configuration: .configuration
            case .issue: .issue
            case .lookup: .lookup
            case .publish: .publish
            case .retrieve: .retrieve
            case .store: .store
            }
    }
}

extension FetchKind {
    fileprivate init(_ ffi: RingTrueFFI.FetchKind) {
        self =
            switch ffi {
            case .certificatePath: .certificatePath
            case .crl: .crl
            case .other: .other
            case .trustBundle: .trustBundle
            }
    }
}

extension TransportError {
    fileprivate var ffi: RingTrueFFI.TransportError {
        switch self {
        case .addressNotAllowed: .AddressNotAllowed
        case .answerTooLarge: .AnswerTooLarge
        case .deadlinePassed: .DeadlinePassed
        case .redirected: .Redirected
        case .tlsFailed: .TlsFailed
        case .unreachable: .Unreachable
        }
    }
}

extension FetchError {
    fileprivate var ffi: RingTrueFFI.FetchError {
        switch self {
        case .deadlinePassed: .DeadlinePassed
        case .notFound: .NotFound
        case .off: .Off
        case .unreachable: .Unreachable
        }
    }
}
