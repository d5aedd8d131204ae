// Calls whose media travel over IP: the keys that were announced against those that were negotiated.

import Foundation
import RingTrue
import Testing

@Suite struct MediaKeyTests {
    private let lab = Lab.shared

    private func keys(_ octet: UInt8, octets: Int = 32) -> MediaKeys {
        MediaKeys(fingerprints: [.init(algorithm: "sha-256", digest: Data(repeating: octet, count: octets))])
    }

    private func line(_ octet: UInt8, octets: Int = 32) -> String {
        let digits = String(octet >> 4, radix: 16, uppercase: true) + String(octet & 15, radix: 16, uppercase: true)
        return "a=fingerprint:sha-256 " + Array(repeating: digits, count: octets).joined(separator: ":")
    }

    /// The key that each side negotiated, and what the calls come to.
    @Test(arguments: [(1, 2, Verdict.confirmed), (9, 2, .conflicting), (1, 9, .conflicting)])
    func keysThatAreThoseAnnouncedConfirmACallAndOthersContradictIt(
        _ case: (seenByCallee: UInt8, seenByCaller: UInt8, verdict: Verdict)
    ) async throws {
        let orig = lab.number()
        let dest = lab.number()
        let caller = try await lab.endpoint(orig)
        let callee = try await lab.endpoint(dest)
        try await caller.publishKeys()
        try await callee.publishKeys()
        let placed = try await caller.place(from: orig, to: dest, wantAnswer: true, media: keys(1))
        #expect(placed.placement == .stored)
        let outgoing = caller.outgoing(placed)
        let ringing = try await callee.ring(from: orig, to: dest)
        #expect(ringing.verdict.verdict.isGood)
        // Its own are shown with the answer, so they are told before it.
        if `case`.seenByCallee == 1 {
            try ringing.media(own: keys(2), other: keys(1))
            #expect(try await callee.answer(ringing, phase: .answered).sent)
            outgoing.answered()
            try outgoing.media(keys(`case`.seenByCaller))
            await eventually { outgoing.outcome.verdict.verdict == `case`.verdict }
            if `case`.verdict == .conflicting {
                #expect(names(outgoing.outcome.verdict.reasons).contains("media_mismatch"))
            }
        } else {
            try ringing.media(own: keys(2), other: keys(`case`.seenByCallee))
            await eventually { ringing.verdict.verdict == `case`.verdict }
            #expect(names(ringing.verdict.reasons).contains("media_mismatch"))
        }
        outgoing.ended()
        ringing.ended()
        await caller.shutDown()
        await callee.shutDown()
    }

    @Test func whatIsNoFingerprintIsRefusedWhereverItIsGiven() async throws {
        let number = lab.number()
        let endpoint = try await lab.endpoint(number)
        let ringing = try await endpoint.ring(from: nil, deadline: .milliseconds(1))
        let placed = try await endpoint.place(from: number, to: lab.number())
        let outgoing = endpoint.outgoing(placed)
        let good = keys(1)
        let wrong = [
            keys(1, octets: 0), keys(1, octets: 31), keys(1, octets: 33), MediaKeys(fingerprints: []),
            MediaKeys(fingerprints: [.init(algorithm: "", digest: Data(repeating: 1, count: 32))]),
            MediaKeys(fingerprints: (0...64).flatMap { keys($0).fingerprints }),
        ]
        for keys in wrong {
            await expectError(.malformed, 1038, "malformed_mky") { () async throws(RingTrueError) in
                _ = try await endpoint.place(from: number, to: number, media: keys)
            }
            await expectError(.malformed, 1038, "malformed_mky") { () async throws(RingTrueError) in
                try ringing.media(own: keys, other: good)
            }
            await expectError(.malformed, 1038, "malformed_mky") { () async throws(RingTrueError) in
                try ringing.media(own: good, other: keys)
            }
            await expectError(.malformed, 1038, "malformed_mky") { () async throws(RingTrueError) in
                try outgoing.media(keys)
            }
        }
        outgoing.ended()
        await endpoint.shutDown()
        // They name a call, and a call goes on without its endpoint.
        try ringing.media(own: good, other: good)
        try outgoing.media(good)
        ringing.ended()
    }

    @Test func keysAreReadFromASessionDescription() async throws {
        #expect(try MediaKeys(sdp: "v=0\r\n\(line(0xab))\r\n") == keys(0xab))
        #expect(try MediaKeys(sdp: "v=0\r\n\(line(1))\r\n\(line(2))\r\n")?.fingerprints.count == 2)
        #expect(try MediaKeys(sdp: "v=0\r\n") == nil)
        #expect(try MediaKeys(sdp: "") == nil)
        let many = (0...64).map { line(UInt8($0)) }.joined(separator: "\r\n")
        for text in ["a=fingerprint:sha-256 AB", "a=fingerprint:", line(1, octets: 31), many] {
            await expectError(.malformed, 1038, "malformed_mky") { () async throws(RingTrueError) in
                _ = try MediaKeys(sdp: "v=0\r\n\(text)\r\n")
            }
        }
    }

    @Test func theirTextShowsNothing() {
        #expect("\(keys(0xab)) \(keys(0xab).fingerprints)" == "MediaKeys(1) [Fingerprint(..)]")
        #expect(!String(reflecting: keys(0xab)).contains("sha"))
    }
}
