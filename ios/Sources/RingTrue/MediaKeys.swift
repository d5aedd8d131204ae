// The keys that protect a call's media, where they travel over IP.

public import Foundation
internal import RingTrueFFI

/// The fingerprints of all media keys of one side of a session, 1 to 64. Its text shows how many.
///
/// For a VoIP application whose media are encrypted with DTLS-SRTP: `Endpoint.place` announces the own ones, and the calls
/// compare the other side's, so that nobody sits in the middle of a call that was announced.
public struct MediaKeys: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// One key's fingerprint. Its text shows nothing of it.
    public struct Fingerprint: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
        /// The name of the hash function as in SDP: `sha-256`.
        public var algorithm: String
        /// The digest.
        public var digest: Data

        /// A fingerprint; it is checked when it is used.
        public init(algorithm: String, digest: Data) {
            self.algorithm = algorithm
            self.digest = digest
        }

        public var description: String { "Fingerprint(..)" }
        public var debugDescription: String { description }
    }

    /// The fingerprints, in any order.
    public var fingerprints: [Fingerprint]

    /// The keys with these fingerprints; they are checked when they are used.
    public init(fingerprints: [Fingerprint]) {
        self.fingerprints = fingerprints
    }

    /// Collects every `a=fingerprint:` line of a session description; nothing if it has none.
    ///
    /// - Throws: `malformed_mky` for a line in another form, or more than 64 of them.
    public init?(sdp: String) throws(RingTrueError) {
        try Library.check()
        let read: RingTrueFFI.MediaKeys?
        do { read = try RingTrueFFI.mediaKeysFromSdp(sdp: sdp) } catch { throw RingTrueError(error) }
        guard let read else { return nil }
        fingerprints = read.fingerprints.map { Fingerprint(algorithm: $0.algorithm, digest: $0.digest) }
    }

    public var description: String { "MediaKeys(\(fingerprints.count))" }
    public var debugDescription: String { description }

    var ffi: RingTrueFFI.MediaKeys {
        .init(fingerprints: fingerprints.map { .init(algorithm: $0.algorithm, digest: $0.digest) })
    }
}
