// What is done ahead of a call: contacts, relays, call-backs, and whether there is still time to dial.

import Foundation
import RingTrue
import Testing

/// Notes where requests go, and reaches nobody.
private struct NotingTransport: Transport {
    let urls = Record<String>()

    func execute(role: Role, request: HttpRequest, maxAnswerOctets: Int, timeLeft: Duration) throws -> HttpResponse {
        urls.append(request.url)
        throw TransportError.unreachable
    }
}

@Suite struct AheadTests {
    private let lab = Lab.shared

    @Test func contactsAreLookedUpAhead() async throws {
        let number = lab.number()
        let other = lab.number()
        let caller = try await lab.endpoint(number)
        let callee = try await lab.endpoint(other)
        try await callee.publishKeys()
        let prefetched = try await caller.prefetchContacts([other, lab.number()], over: .milliseconds(100))
        #expect(prefetched.found == 1)
        #expect(prefetched.withoutKeys == 1)
        #expect(prefetched.failed == 0)
        let placed = try await caller.place(from: number, to: other)
        #expect(placed.placement == .stored)
        // Without a relay there is no gateway.
        try await caller.refreshGateways()
        await caller.shutDown()
        await callee.shutDown()
    }

    @Test func contactsThatAreNoneOrTooManyAreRefused() async throws {
        let endpoint = try await lab.endpoint(lab.number())
        let number = lab.number()
        await expectError(.malformed, 1001, "malformed_number") { () async throws(RingTrueError) in
            _ = try await endpoint.prefetchContacts([number, "bob"], over: .milliseconds(1))
        }
        let many = (0...4_096).map { "1202556\(String(10_000 + $0).dropFirst())" }
        await expectError(.misuse, 6002, "configuration_invalid") { () async throws(RingTrueError) in
            _ = try await endpoint.prefetchContacts(many, over: .seconds(600))
        }
        #expect(try await endpoint.prefetchContacts([], over: .zero).found == 0)
        await endpoint.shutDown()
    }

    @Test func aCancelledTaskStopsLookingContactsUp() async throws {
        let silence = try Silence()
        var config = try lab.config(lab.number())
        config.services = [silence.baseUrl]
        config.credential = nil
        let endpoint = try await Endpoint.open(config)
        let contacts = [lab.number()]
        let task = Task {
            await expectError(.unavailable, 5019, "cancelled") { () async throws(RingTrueError) in
                _ = try await endpoint.prefetchContacts(contacts, over: .milliseconds(1))
            }
        }
        await silence.connected.wait()
        task.cancel()
        await task.value
        await silence.ended.wait()
        await endpoint.shutDown()
    }

    @Test func aServiceIsReachedThroughItsOwnRelay() async throws {
        let number = lab.number()
        let transport = NotingTransport()
        var config = try lab.config(number)
        config.services = ["https://cps.example"]
        config.allowDirect = false
        config.relay = "https://relay.example"
        config.relays = [ServiceRelay(service: "https://cps.example", relay: "https://other.example", name: "cps")]
        let endpoint = try await Endpoint.open(config, signer: try lab.signer(number), transport: transport)
        await #expect(throws: RingTrueError.self) { try await endpoint.refreshGateways(deadline: .seconds(10)) }
        #expect(transport.urls.all.contains { $0.hasPrefix("https://other.example/") })
        #expect(!transport.urls.all.contains { $0.hasPrefix("https://relay.example/") })
        await endpoint.shutDown()
    }

    @Test func aRelayThatIsNoneIsRefused() async throws {
        let number = lab.number()
        let signer = try lab.signer(number)
        var good = try lab.config(number)
        good.allowDirect = false
        let service = good.services[0]
        let relays = [
            ServiceRelay(service: service, relay: "http://relay.example", name: "cps"),
            ServiceRelay(service: "no URL", relay: "https://relay.example", name: "cps"),
            ServiceRelay(service: service, relay: "https://relay.example", name: ""),
            ServiceRelay(service: service, relay: "https://relay.example", name: "../x"),
        ]
        for relay in relays {
            var config = good
            config.relays = [relay]
            do {
                _ = try await Endpoint.open(config, signer: signer)
                Issue.record("opened with a relay that is none")
            } catch {
                #expect(error.kind == .malformed || error.kind == .misuse, "\(error)")
            }
        }
    }

    @Test func onlyWhoProvedControlIsCalledBack() async throws {
        let number = lab.number()
        let endpoint = try await lab.endpoint(lab.number())
        for _ in 0..<2 {
            await expectError(.unavailable, 8046, "callback_not_proved") { () async throws(RingTrueError) in
                _ = try endpoint.callBackAfter(number)
            }
            try endpoint.proveControl(of: "+\(number)")
            #expect((Duration.seconds(5)...Duration.seconds(65)).contains(try endpoint.callBackAfter(number)))
        }
        for text in ["bob", "", "+"] {
            await expectError(.malformed, 1001, "malformed_number") { () async throws(RingTrueError) in
                try endpoint.proveControl(of: text)
            }
            await expectError(.malformed, 1001, "malformed_number") { () async throws(RingTrueError) in
                _ = try endpoint.callBackAfter(text)
            }
        }
        await endpoint.shutDown()
    }

    @Test func anAnnouncementIsDialledAtOnceOrNotAtAll() async throws {
        let number = lab.number()
        let callee = try await lab.endpoint(lab.number())
        try await callee.publishKeys()
        let caller = try await lab.endpoint(number)
        let placed = try await caller.place(from: number, to: try #require(callee.numbers.first))
        #expect(placed.placement == .stored)
        await eventually { !caller.mayBeDialled(placed) }
        // What was not announced does not become stale.
        let unprotected = try await caller.place(from: number, to: lab.number())
        #expect(unprotected.placement == .unprotected)
        #expect(caller.mayBeDialled(unprotected))
        await caller.shutDown()
        await callee.shutDown()
    }
}
