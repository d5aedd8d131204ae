// What the application supplies: transport, clock, source of files.

import Foundation
import RingTrue
import Testing

private struct FailingTransport: Transport {
    let error: any Error & Sendable

    func execute(role: Role, request: HttpRequest, maxAnswerOctets: Int, timeLeft: Duration) throws -> HttpResponse {
        throw error
    }
}

private struct StubbornClock: WallClock {
    let says: @Sendable () throws -> Date?

    func now() throws -> Date? { try says() }
}

@Suite struct HostInterfaceTests {
    private struct Other: Error {}
    private let lab = Lab.shared

    @Test func aTransportThatThrowsIsNamed() async throws {
        let number = lab.number()
        let cases: [(any Error & Sendable, Int, String)] = [
            (TransportError.addressNotAllowed, 5018, "address_not_allowed"),
            (TransportError.answerTooLarge, 5005, "answer_too_large"),
            (TransportError.tlsFailed, 5003, "tls_failed"),
            (TransportError.unreachable, 5002, "service_unreachable"),
            (Other(), 5002, "service_unreachable"),
        ]
        for (error, _, name) in cases {
            let endpoint = try await Endpoint.open(
                try lab.config(number),
                signer: try lab.signer(number),
                transport: FailingTransport(error: error)
            )
            do {
                try await endpoint.publishKeys()
                Issue.record("published without a service")
            } catch {
                #expect(error.kind == .unavailable)
                #expect(error.name == name)
            }
            await endpoint.shutDown()
        }
    }

    @Test func withoutAClockNothingIsVerified() async throws {
        let number = lab.number()
        let clocks: [@Sendable () throws -> Date?] = [
            { nil }, { Date(timeIntervalSince1970: 0) }, { Date(timeIntervalSince1970: -1e12) }, { throw Other() },
        ]
        for says in clocks {
            let endpoint = try await Endpoint.open(
                try lab.config(number), signer: try lab.signer(number), clock: StubbornClock(says: says))
            let call = try await endpoint.ring(from: lab.number())
            #expect(call.verdict.verdict == .clockUnset)
            await endpoint.shutDown()
        }
    }

    @Test func anEndpointWithoutCredentialVerifiesOnly() async throws {
        let number = lab.number()
        var config = try lab.config(number)
        config.credential = nil
        let endpoint = try await Endpoint.open(config)
        #expect(endpoint.credentialStatus.state == .missing)
        let placed = try await endpoint.place(from: number, to: lab.number())
        #expect(placed.placement == .unprotected)
        let call = try await endpoint.ring(from: lab.number())
        #expect(call.verdict.verdict == .noRecord)
        await endpoint.shutDown()
    }

    @Test func walletsAreNamedAndChecked() async throws {
        let number = lab.number()
        let endpoint = try await lab.endpoint(number)
        #expect(endpoint.wallets.isEmpty)
        await expectError(.malformed, 1017, "malformed_url") { () async throws(RingTrueError) in
            _ = try await endpoint.walletStatus(WalletName(issuer: "no authority/", service: "cps.example"))
        }
        #expect(endpoint.trustStatus.version == nil)
        await expectError(.misuse, 6002, "configuration_invalid") { () async throws(RingTrueError) in
            _ = try await endpoint.updateTrust()
        }
        await endpoint.shutDown()
    }
}
