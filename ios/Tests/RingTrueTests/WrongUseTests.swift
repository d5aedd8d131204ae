// Calls after the end, double ends, many threads at once.

import Foundation
import RingTrue
import Testing

@Suite struct WrongUseTests {
    private let lab = Lab.shared

    @Test func everyCallAfterTheEndIsCancelled() async throws {
        let number = lab.number()
        let other = lab.number()
        let endpoint = try await lab.endpoint(number)
        let placed = try await endpoint.place(from: number, to: other, wantAnswer: true)
        let ringing = try await endpoint.ring(from: other, deadline: .milliseconds(1))
        // From several sides at once, and again.
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<5 { group.addTask { await endpoint.shutDown() } }
        }
        await endpoint.shutDown()
        let wallet = WalletName(issuer: "tokens.example", service: "cps.example")
        let chain = try lab.read("\(number)/chain.pem")
        let late: [(String, (Endpoint) async throws -> Void)] = [
            ("publishKeys", { try await $0.publishKeys() }),
            ("rotateKeys", { try await $0.rotateKeys() }),
            ("prefetchKeys", { try await $0.prefetchKeys(of: other) }),
            ("prefetchContacts", { try await $0.prefetchContacts([other], over: .milliseconds(10)) }),
            ("refreshGateways", { try await $0.refreshGateways() }),
            ("readers", { _ = try await $0.readers() }),
            ("place", { _ = try await $0.place(from: number, to: other) }),
            ("ring", { _ = try await $0.ring(from: other) }),
            ("certificateRequest", { _ = try await $0.certificateRequest() }),
            ("installCertificate", { try await $0.installCertificate(chainPem: chain, x5u: "https://certs.example/a.pem") }),
            ("updateTrust", { try await $0.updateTrust() }),
            ("walletStatus", { _ = try await $0.walletStatus(wallet) }),
            ("refillTokens", { try await $0.refillTokens(wallet) }),
        ]
        for (name, call) in late {
            do {
                try await call(endpoint)
                Issue.record("\(name) did something after the end")
            } catch let error as RingTrueError {
                #expect(error.code == .cancelled, "\(name): \(error)")
                #expect(error.kind == .unavailable, "\(name)")
            }
        }
        // What needs no thread works on, and what would need one does nothing.
        #expect(endpoint.numbers == [number])
        #expect(try endpoint.readNumber("+\(number)") == number)
        endpoint.setFetching(true)
        let outgoing = endpoint.outgoing(placed)
        outgoing.answered()
        outgoing.ended()
        outgoing.ended()
        for await _ in outgoing.changes {}
        ringing.answered()
        ringing.ended()
        ringing.ended()
        #expect(!ringing.verdict.verdict.isGood)
        for await _ in ringing.changes {}
    }

    @Test func anEndpointMayBeUsedAndEndedFromManyThreads() async throws {
        let number = lab.number()
        let other = lab.number()
        let endpoint = try await lab.endpoint(number)
        let callee = try await lab.endpoint(other)
        try await callee.publishKeys()
        let placements = Record<Placement>()
        let errors = await withTaskGroup(of: RingTrueError?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do throws(RingTrueError) {
                        while true {
                            let placed = try await endpoint.place(from: number, to: other)
                            let call = try await endpoint.ring(from: other, deadline: .milliseconds(300))
                            guard !call.verdict.verdict.isGood else { return nil }
                            call.ended()
                            placements.append(placed.placement)
                        }
                    } catch {
                        return error
                    }
                }
            }
            // What is synchronous, from threads that know no task.
            let threads = (0..<4).map { _ in
                let ended = Event()
                Thread.detachNewThread {
                    for _ in 0..<200 {
                        _ = endpoint.credentialStatus
                        _ = try? endpoint.readNumber("+\(number)")
                        try? endpoint.proveControl(of: other)
                        _ = try? endpoint.callBackAfter(other)
                    }
                    ended.happen()
                }
                return ended
            }
            await eventually { placements.all.count >= 8 }
            await endpoint.shutDown()
            for thread in threads { await thread.wait() }
            var errors: [RingTrueError?] = []
            for await error in group { errors.append(error) }
            return errors
        }
        #expect(errors.map { $0?.code } == Array(repeating: .cancelled, count: 8))
        #expect(placements.all.contains(.stored))
        await callee.shutDown()
    }

    @Test func aCallGoesOnWithoutWhoeverHoldsItsEndpoint() async throws {
        var endpoint: Endpoint? = try await lab.endpoint(lab.number())
        let call = try #require(try await endpoint?.ring(from: lab.number(), deadline: .milliseconds(100)))
        endpoint = nil
        #expect(!call.verdict.verdict.isGood)
        call.ended()
        // It ends with its endpoint, which is gone.
        for await _ in call.changes {}
    }
}
