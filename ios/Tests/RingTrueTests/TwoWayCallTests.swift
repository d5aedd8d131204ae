// The two-way call against the real service, and what it must not accept.

import RingTrue
import Testing

@Suite struct TwoWayCallTests {
    private let lab = Lab.shared

    private func expectVerified(_ verdict: CallVerdict, from orig: String, to dest: String) {
        #expect(verdict.verdict.isGood)
        #expect(verdict.orig == orig)
        #expect(verdict.dest == dest)
        #expect(verdict.checks.map(\.name) == Check.Name.allCases)
        #expect(verdict.checks.allSatisfy { if case .failed = $0.result { false } else { true } })
        #expect(verdict.blobs.opened >= 1)
        #expect(verdict.blobs.received >= verdict.blobs.opened)
    }

    private func call(_ caller: Endpoint, _ callee: Endpoint) async throws {
        let orig = try #require(caller.numbers.first)
        let dest = try #require(callee.numbers.first)
        let placed = try await caller.place(from: "+\(orig)", to: "+\(dest)", wantAnswer: true)
        #expect(placed.placement == .stored)
        #expect(placed.copies == 1)
        #expect(placed.expectsAnswer)
        let ringing = try await callee.ring(from: orig, to: dest)
        expectVerified(ringing.verdict, from: orig, to: dest)
        let answered = try await callee.answer(ringing, phase: .answered)
        #expect(answered.sent)
        #expect(!answered.callerGone)
        let outcome = try #require(try await caller.awaitAnswer(to: placed))
        expectVerified(outcome.verdict, from: orig, to: dest)
        #expect(outcome.state?.phase == .answered)
        ringing.ended()
    }

    @Test func bothSidesAreVerifiedInBothDirections() async throws {
        let one = try await lab.endpoint(lab.number())
        let other = try await lab.endpoint(lab.number())
        for endpoint in [one, other] {
            let published = try await endpoint.publishKeys()
            #expect(published.numbers == endpoint.numbers)
            #expect(published.rotated)
            #expect(published.expires.timeIntervalSinceNow > 3_600)
        }
        try await call(one, other)
        try await call(other, one)
        await one.shutDown()
        await other.shutDown()
    }

    /// Where requests take long, the clocks leave too much open, and a call says so; then the next one has to do.
    @Test func bothSidesSeeTheSameCall() async throws {
        let caller = try await lab.endpoint(lab.number())
        let callee = try await lab.endpoint(lab.number())
        try await caller.publishKeys()
        try await callee.publishKeys()
        var isConfirmed = false
        for _ in 0..<10 where !isConfirmed { isConfirmed = try await confirm(caller, callee) }
        #expect(isConfirmed)
        await caller.shutDown()
        await callee.shutDown()
    }

    /// A call that both sides see answered in one moment; whether both are sure that it is the same.
    private func confirm(_ caller: Endpoint, _ callee: Endpoint) async throws -> Bool {
        let orig = try #require(caller.numbers.first)
        let dest = try #require(callee.numbers.first)
        let outgoing = caller.outgoing(try await caller.place(from: orig, to: dest, wantAnswer: true))
        #expect(outgoing.outcome.verdict.verdict == .noRecord)
        let ringing = try await callee.ring(from: orig, to: dest)
        #expect(ringing.verdict.verdict == .verified)
        outgoing.answered()
        #expect(try await callee.answer(ringing, phase: .answered).sent)
        // Longer than either looks for what the other says.
        let isConfirmed = await within(.seconds(12)) {
            outgoing.outcome.verdict.verdict == .confirmed && ringing.verdict.verdict == .confirmed
        }
        if isConfirmed {
            for await outcome in outgoing.changes where outcome.verdict.verdict == .confirmed { break }
            for await verdict in ringing.changes where verdict.verdict == .confirmed { break }
        } else {
            for found in [outgoing.outcome.verdict, ringing.verdict] where found.verdict != .confirmed {
                #expect(found.verdict == .verified)
                #expect(names(found.reasons) == ["clock_uncertain"])
            }
        }
        outgoing.ended()
        ringing.ended()
        return isConfirmed
    }

    @Test func anEndpointMayBeUsedByManyTasksAtOnce() async throws {
        let callee = try await lab.endpoint(lab.number())
        try await callee.publishKeys()
        let dest = try #require(callee.numbers.first)
        let verdicts = try await withThrowingTaskGroup(of: Verdict.self) { group in
            for _ in 0..<4 {
                let number = lab.number()
                group.addTask {
                    let caller = try await Lab.shared.endpoint(number)
                    _ = try await caller.place(from: number, to: dest)
                    let call = try await callee.ring(from: number)
                    call.ended()
                    await caller.shutDown()
                    return call.verdict.verdict
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts.count == 4)
        #expect(verdicts.filter { !$0.isGood }.isEmpty)
        await callee.shutDown()
    }

    @Test func anImpostorWithoutAnnouncementIsNotVerified() async throws {
        let callee = try await lab.endpoint(lab.number())
        try await callee.publishKeys()
        let call = try await callee.ring(from: lab.number())
        #expect(call.verdict.verdict == .noRecord)
        #expect(!call.verdict.verdict.isGood)
        await expectError(.misuse, 6003, "not_verified") { () async throws(RingTrueError) in
            _ = try await callee.answer(call, phase: .answered)
        }
        await callee.shutDown()
    }

    @Test func aCredentialOfAnotherNumberAnnouncesNothing() async throws {
        let victim = lab.number()
        let own = lab.number()
        let config = try lab.config(victim, credentialOf: own)
        let impostor = try await Endpoint.open(config, signer: try lab.signer(own))
        let callee = try await lab.endpoint(lab.number())
        try await callee.publishKeys()
        let placed = try await impostor.place(from: victim, to: try #require(callee.numbers.first))
        #expect(placed.placement == .unprotected)
        #expect(names(placed.reasons).contains("number_not_covered"))
        let call = try await callee.ring(from: victim)
        #expect(call.verdict.verdict == .noRecord)
        await impostor.shutDown()
        await callee.shutDown()
    }

    @Test func anAnnouncementIsGoodForOneCall() async throws {
        let caller = try await lab.endpoint(lab.number())
        let callee = try await lab.endpoint(lab.number())
        try await callee.publishKeys()
        let orig = try #require(caller.numbers.first)
        _ = try await caller.place(from: orig, to: try #require(callee.numbers.first))
        let first = try await callee.ring(from: orig)
        #expect(first.verdict.verdict.isGood)
        first.ended()
        let second = try await callee.ring(from: orig).verdict
        #expect(second.verdict == .refused)
        let failed = second.checks.first { if case .failed = $0.result { true } else { false } }
        let check = try #require(failed)
        #expect(check.name == .replay)
        guard case .failed(let reason) = check.result else { return }
        #expect(reason.code == .replayed)
        #expect(reason.name == "replayed")
        #expect(reason.kind == .mismatch)
        await caller.shutDown()
        await callee.shutDown()
    }

    @Test func theTextOfRecordsHoldsNoNumber() async throws {
        let caller = try await lab.endpoint(lab.number())
        let callee = try await lab.endpoint(lab.number())
        let published = try await callee.publishKeys()
        let orig = try #require(caller.numbers.first)
        let dest = try #require(callee.numbers.first)
        let placed = try await caller.place(from: orig, to: dest)
        #expect(try await caller.awaitAnswer(to: placed) == nil)
        let call = try await callee.ring(from: orig, to: dest)
        let readers = try await callee.readers()
        #expect(readers.first?.readers.first?.isOwn == true)
        let config = try lab.config(orig)
        let outcome = caller.outgoing(placed).outcome
        let values: [Any] = [published, placed, call.verdict, readers, config, outcome, callee, call]
        for value in values {
            for text in [String(describing: value), String(reflecting: value)] {
                #expect(!text.contains(orig) && !text.contains(dest))
            }
        }
        await caller.shutDown()
        await callee.shutDown()
    }
}
