// What is fetched ahead of calls.

internal import RingTrueFFI

/// What came of looking contacts up ahead of calls.
public struct Prefetched: Sendable, Hashable {
    /// Contacts whose keys are known now.
    public let found: Int
    /// Contacts that have none, as far as the directory shows.
    public let withoutKeys: Int
    /// Contacts that could not be asked for.
    public let failed: Int

    init(_ ffi: RingTrueFFI.Prefetched) {
        found = Int(ffi.found)
        withoutKeys = Int(ffi.withoutKeys)
        failed = Int(ffi.failed)
    }
}

extension Endpoint {
    /// Learns the keys of contacts, 4096 at most, ahead of calls. Keys live for a day or so; once a day is enough.
    ///
    /// The directory sees neither who asks (with a relay) nor the address book: the lookups are spread over `span` at random,
    /// in random order, among lookups of other numbers. Ends after about that time, at twice of it at the latest but for the
    /// network.
    ///
    /// - Throws: `malformed_number`; `configuration_invalid` for over 4096 contacts; `randomness_unavailable`; `cancelled`.
    @discardableResult
    public func prefetchContacts(
        _ contacts: [String],
        over span: Duration
    ) async throws(RingTrueError) -> Prefetched {
        try await run { ffi in
            Prefetched(try await ffi.prefetchContacts(contacts: contacts, spanMs: span.wholeMilliseconds))
        }
    }

    /// Makes sure that the keys of the gateways of the own services and of the key directory are at hand. Publishing does it
    /// too; nothing to do without a relay.
    ///
    /// - Throws: What went wrong with one of them; the others are there all the same. `gateway_keys_inconsistent` for a
    ///   gateway that shows different keys to different askers: it is not used. `cancelled`.
    public func refreshGateways(deadline: Duration? = nil) async throws(RingTrueError) {
        try await run { ffi in try await ffi.refreshGateways(deadlineMs: deadline?.wholeMilliseconds) }
    }
}
