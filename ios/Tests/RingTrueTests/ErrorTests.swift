// Errors are typed, and their codes are those of the registry.

import Foundation
import RingTrue
import Testing

@Suite struct ErrorTests {
    private let lab = Lab.shared

    @Test func errorsTellWhoHasToAct() async throws {
        let one = lab.number()
        let other = lab.number()
        let signer = try lab.signer(one)
        let good = try lab.config(one)
        func expectRefused(
            _ kind: Reason.Kind, _ code: Int, _ name: String, _ change: (inout EndpointConfig) throws -> Void
        ) async throws {
            var config = good
            try change(&config)
            let changed = config
            await expectError(kind, code, name) { () async throws(RingTrueError) in
                _ = try await Endpoint.open(changed, signer: signer)
            }
        }
        try await expectRefused(.misuse, 6002, "configuration_invalid") { $0.anchorsPem = [] }
        try await expectRefused(.misuse, 6002, "configuration_invalid") { $0.stateKey = Data([1, 2, 3]) }
        try await expectRefused(.malformed, 1017, "malformed_url") { $0.services = ["http://cps.example"] }
        try await expectRefused(.untrusted, 2025, "chain_incomplete") {
            $0.anchorsPem = [try lab.read("tls-root.pem")]
        }
        let endpoint = try await Endpoint.open(good, signer: signer)
        await expectError(.malformed, 1001, "malformed_number") { () async throws(RingTrueError) in
            _ = try await endpoint.place(from: one, to: "bob")
        }
        await expectError(.misuse, 6001, "number_not_owned") { () async throws(RingTrueError) in
            _ = try await endpoint.place(from: other, to: one)
        }
        await expectError(.unavailable, 5011, "no_usable_key") { () async throws(RingTrueError) in
            _ = try await endpoint.prefetchKeys(of: other)
        }
        await expectError(.malformed, 1001, "malformed_number") { () async throws(RingTrueError) in
            _ = try endpoint.readNumber("bob")
        }
        #expect(throws: RingTrueError.self) { try SoftwareSigner(pkcs8Pem: "no key") }
        #expect(try endpoint.readNumber("+1 (202) 555-0143") == "12025550143")
        await endpoint.shutDown()
    }

    @Test func anErrorsTextIsItsNameAndNumber() {
        do {
            _ = try SoftwareSigner(pkcs8Pem: "no key")
            Issue.record("read a key that is none")
        } catch {
            #expect("\(error)" == "malformed_pem (1023)")
            #expect(error.kind == .malformed)
        }
    }
}
