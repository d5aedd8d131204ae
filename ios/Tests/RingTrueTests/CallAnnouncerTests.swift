// The sending side: announced first, dialled whatever comes of it.

import Foundation
import RingTrue
import Testing

@Suite struct CallAnnouncerTests {
    private let lab = Lab.shared

    @Test func aCallIsAnnouncedBeforeItIsDialledAndThenFollowed() async throws {
        let number = lab.number()
        let caller = try await lab.endpoint(number)
        let callee = try await lab.endpoint(lab.number())
        try await caller.publishKeys()
        try await callee.publishKeys()
        let dest = try #require(callee.numbers.first)
        let dialled = Record<URL>()
        let verdicts = Record<Verdict>()
        let call = try await CallAnnouncer(endpoint: caller, announceWithin: .seconds(20)).call("+\(dest)", from: number) { url in
            dialled.append(url)
            // Now it rings.
            guard let ringing = try? await callee.ring(from: number, to: dest) else { return false }
            verdicts.append(ringing.verdict.verdict)
            ringing.ended()
            return true
        }
        #expect(dialled.all == [URL(string: "tel:+\(dest)")])
        #expect(verdicts.all == [.verified])
        let made = try #require(call)
        #expect(made.placed.placement == .stored)
        #expect(made.placed.expectsAnswer)
        made.outgoing.ended()
        await caller.shutDown()
        await callee.shutDown()
    }

    @Test func aCallThatCannotBeAnnouncedIsDialledInTime() async throws {
        let silence = try Silence()
        let number = lab.number()
        var config = try lab.config(number)
        config.services = [silence.baseUrl]
        let caller = try await Endpoint.open(config, signer: try lab.signer(number))
        let dialled = Counter()
        let announcer = CallAnnouncer(endpoint: caller, announceWithin: .milliseconds(200))
        let call = try await announcer.call(lab.number(), from: number) { _ in
            dialled.next()
            return true
        }
        #expect(dialled.current == 1)
        #expect(call?.placed.placement == .unprotected)
        await caller.shutDown()
    }

    @Test func whatIsNoCallIsNotDialled() async throws {
        let number = lab.number()
        let caller = try await lab.endpoint(number)
        let dialled = Counter()
        let announcer = CallAnnouncer(endpoint: caller)
        let dial: @Sendable (URL) async -> Bool = { _ in
            dialled.next()
            return true
        }
        let other = lab.number()
        await expectError(.malformed, 1001, "malformed_number") { () async throws(RingTrueError) in
            _ = try await announcer.call("bob", from: number, dial: dial)
        }
        await expectError(.misuse, 6001, "number_not_owned") { () async throws(RingTrueError) in
            _ = try await announcer.call(number, from: other, dial: dial)
        }
        #expect(dialled.current == 0)
        await caller.shutDown()
    }

    @Test func aCallThatDoesNotStartIsNone() async throws {
        let number = lab.number()
        let caller = try await lab.endpoint(number)
        let announcer = CallAnnouncer(endpoint: caller, announceWithin: .milliseconds(500))
        let call = try await announcer.call(lab.number(), from: number) { _ in false }
        #expect(call.map(\.placed.placement) == nil)
        await caller.shutDown()
    }

    @Test(arguments: ["", "+12025550143", "1202 5550143", "12025550143;ext=1", "١٢٠٢"])
    func onlyACanonicalNumberHasAUrl(_ text: String) {
        #expect(CallAnnouncer.telephoneUrl(of: text) == nil)
        #expect(CallAnnouncer.telephoneUrl(of: "12025550143")?.absoluteString == "tel:+12025550143")
    }
}
