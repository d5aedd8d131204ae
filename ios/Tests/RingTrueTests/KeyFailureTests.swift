// Hardware keys that fail: each failure has its code, none ends a call or the process.

import Foundation
import RingTrue
import Testing

@Suite struct KeyFailureTests {
    private let lab = Lab.shared

    @Test(arguments: KeyFault.allCases)
    func aSignerThatFailsIsNamedAndTheCallMayBeDialled(_ fault: KeyFault) async throws {
        let number = lab.number()
        let signer = FaultySigner(good: try lab.signer(number), fault: fault)
        let endpoint = try await Endpoint.open(try lab.config(number), signer: signer)
        // What is no signature at all is told from one that does not hold.
        let isSignature = fault == .throwsError || fault == .hashesTwice
        let (kind, code, name): (Reason.Kind, Int, String) =
            isSignature ? (.unavailable, 5013, "signer_failed") : (.malformed, 1009, "malformed_signature")
        await expectError(kind, code, name) { () async throws(RingTrueError) in
            _ = try await endpoint.publishKeys()
        }
        let callee = try await lab.endpoint(lab.number())
        try await callee.publishKeys()
        let placed = try await endpoint.place(from: number, to: try #require(callee.numbers.first))
        #expect(placed.placement == .unprotected)
        #expect(names(placed.reasons).contains(name))
        await endpoint.shutDown()
        await callee.shutDown()
    }

    @Test func aSignerThatBlocksDoesNotOutlastTheDeadline() async throws {
        let number = lab.number()
        let signer = WaitingSigner(try lab.signer(number))
        let endpoint = try await Endpoint.open(try lab.config(number), signer: signer)
        await expectError(.unavailable, 5001, "deadline_passed") { () async throws(RingTrueError) in
            _ = try await endpoint.publishKeys(deadline: .milliseconds(500))
        }
        await signer.asked.wait()
        signer.release.happen()
        await endpoint.shutDown()
    }

    @Test func aSignerWithoutAPublicKeyOpensNothing() async throws {
        let number = lab.number()
        let signer = try lab.signer(number)
        let config = try lab.config(number)
        let throwing = PublicKeySigner(good: signer) { _ in throw FaultySigner.Locked() }
        await expectError(.unavailable, 5013, "signer_failed") { () async throws(RingTrueError) in
            _ = try await Endpoint.open(config, signer: throwing)
        }
        let changes: [@Sendable (Data) -> Data] = [
            { $0.dropLast() }, { _ in Data() }, { Data([2]) + $0.dropFirst() }, { $0 + [0] },
        ]
        for change in changes {
            do {
                _ = try await Endpoint.open(config, signer: PublicKeySigner(good: signer, change: change))
                Issue.record("opened with a public key that is none")
            } catch {
                #expect(error.kind == .malformed, "\(error)")
            }
        }
    }

    @Test func aKeyOfAnotherNumberIsNoticed() async throws {
        let number = lab.number()
        let config = try lab.config(number)
        let other = try lab.signer(lab.number())
        await expectError(.untrusted, 2022, "key_mismatch") { () async throws(RingTrueError) in
            _ = try await Endpoint.open(config, signer: other)
        }
    }

    @Test(arguments: [nil, 0, 31, 33, 32])
    func aKeyAgreementThatFailsOpensNothing(_ length: Int?) async throws {
        let caller = try await lab.endpoint(lab.number())
        let number = lab.number()
        let agreement = FaultyAgreement(good: try lab.signer(lab.number())) {
            guard let length else { throw FaultySigner.Locked() }
            return Data(repeating: 0x42, count: length)
        }
        let callee = try await Endpoint.open(
            try lab.config(number), signer: try lab.signer(number), keyAgreement: agreement)
        try await callee.publishKeys()
        let orig = try #require(caller.numbers.first)
        #expect(try await caller.place(from: orig, to: number).placement == .stored)
        let verdict = try await callee.ring(from: orig).verdict
        #expect(!verdict.verdict.isGood)
        #expect(verdict.blobs.opened == 0)
        // A wrong secret of the right length opens nothing either, but the key did its work; one that is an octet short is taken
        // for one whose leading zero was left out.
        #expect(names(verdict.reasons).contains("key_agreement_failed") == (length != 32 && length != 31))
        await caller.shutDown()
        await callee.shutDown()
    }

    @Test func anEndpointThatIsLetGoLetsItsKeysGo() async throws {
        let number = lab.number()
        weak var kept: WaitingSigner?
        do {
            let signer = WaitingSigner(try lab.signer(number))
            kept = signer
            let endpoint = try await Endpoint.open(try lab.config(number), signer: signer)
            await endpoint.shutDown()
        }
        #expect(kept == nil)
    }
}
