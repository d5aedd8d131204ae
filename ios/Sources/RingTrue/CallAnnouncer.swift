// The sending side in one step: announce, dial, follow.

public import Foundation

/// Announces calls and then dials them.
///
/// A default calling or dialling application calls `call` where it would have dialled. The call is dialled whatever
/// comes of the announcement, and never later than `announceWithin` allows.
public struct CallAnnouncer: Sendable {
    /// What became of one call so far.
    public struct Call: Sendable {
        /// Whether it was announced, and why not.
        public let placed: Placed
        /// The call from now on: say what becomes of it, and read who answered.
        public let outgoing: OutgoingCall
    }

    private let endpoint: Endpoint
    private let announceWithin: Duration

    /// Announces with `endpoint`, and waits `announceWithin` for it at most before dialling. A person who has pressed a
    /// button notices a pause of more than about a second and a half.
    public init(endpoint: Endpoint, announceWithin: Duration = .milliseconds(1_500)) {
        self.endpoint = endpoint
        self.announceWithin = announceWithin
    }

    /// Announces a call from `number`, an own one, to `callee`; then calls `dial`, which starts the call on the telephone
    /// network: by opening the `tel:` URL that it is given, or through the system's interface for dialling applications.
    ///
    /// Gives nothing if `dial` says that no call was started: then the called side is told that there is none.
    ///
    /// - Throws: `malformed_number` or `number_not_owned`, and nothing was dialled; `cancelled`, and whoever cancelled knows
    ///   that no call is wanted.
    public func call(
        _ callee: String,
        from number: String,
        dial: @Sendable (URL) async -> Bool
    ) async throws(RingTrueError) -> Call? {
        let placed = try await endpoint.place(
            from: number,
            to: callee,
            wantAnswer: true,
            deadline: announceWithin
        )
        let outgoing = endpoint.outgoing(placed)
        guard !Task.isCancelled, let url = Self.telephoneUrl(of: placed.dest), await dial(url) else {
            outgoing.ended()
            return nil
        }
        return Call(placed: placed, outgoing: outgoing)
    }

    /// The `tel:` URL (RFC 3966) of a canonical number, as `Placed` and `Endpoint.readNumber` give it.
    public static func telephoneUrl(of canonical: String) -> URL? {
        guard !canonical.isEmpty, canonical.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return URL(string: "tel:+\(canonical)")
    }
}
