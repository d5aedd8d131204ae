// Traffic that means nothing.

import Foundation
import RingTrue
import Testing

@Suite struct CoverTrafficTests {
    private let lab = Lab.shared

    /// As often as a policy may ask for it.
    private func often(_ profile: CoverPolicy.Profile) -> CoverPolicy {
        var policy = CoverPolicy(profile: profile)
        policy.storeInterval = .zero
        policy.pollInterval = .seconds(1)
        return policy
    }

    @Test func itGoesOnUntilItIsStopped() async throws {
        let endpoint = try await lab.endpoint(lab.number())
        try await endpoint.publishKeys()
        let cover = try endpoint.coverTraffic(power: .plenty, policy: often(.enterprise))
        await eventually { (cover.counts?.polls ?? 0) > 0 }
        #expect(cover.counts?.stores == 0)
        cover.stop()
        cover.stop()
        #expect(cover.counts == nil)
        cover.setPower(.plenty)
        #expect(cover.counts == nil)
        await endpoint.shutDown()
    }

    @Test func withoutPowerNothingIsSentAndWithItItBegins() async throws {
        let endpoint = try await lab.endpoint(lab.number())
        try await endpoint.publishKeys()
        let cover = try endpoint.coverTraffic(power: .scarce, policy: often(.handset))
        await eventually { (cover.counts?.skipped ?? 0) > 0 }
        let counts = try #require(cover.counts)
        #expect(counts.polls == 0 && counts.stores == 0)
        #expect(counts.lastReason?.name == "cover_skipped")
        cover.setPower(.plenty)
        await eventually { (cover.counts?.polls ?? 0) > 0 }
        cover.stop()
        await endpoint.shutDown()
    }

    @Test func aPolicyOutOfRangeIsRefused() async throws {
        let endpoint = try await lab.endpoint(lab.number())
        let changes: [(inout CoverPolicy) -> Void] = [
            { $0.storeInterval = .milliseconds(1) }, { $0.pollInterval = .milliseconds(1) },
            { $0.pollInterval = .nanoseconds(1) },
        ]
        for change in changes {
            var policy = CoverPolicy()
            change(&policy)
            let changed = policy
            await expectError(.misuse, 6002, "configuration_invalid") { () async throws(RingTrueError) in
                _ = try endpoint.coverTraffic(power: .plenty, policy: changed)
            }
        }
        await endpoint.shutDown()
    }

    @Test func itEndsWithItsEndpoint() async throws {
        let endpoint = try await lab.endpoint(lab.number())
        let other = try await lab.endpoint(lab.number())
        try await endpoint.publishKeys()
        try await other.publishKeys()
        let cover = try endpoint.coverTraffic(power: .plenty, policy: often(.enterprise))
        let going = try other.coverTraffic(power: .plenty, policy: often(.enterprise))
        await eventually { (cover.counts?.polls ?? 0) > 0 }
        await endpoint.shutDown()
        let late = try endpoint.coverTraffic(power: .plenty, policy: often(.enterprise))
        let before = cover.counts
        let soFar = going.counts?.polls ?? 0
        // Where it goes on, it is seen to.
        await eventually { (going.counts?.polls ?? 0) >= soFar + 3 }
        #expect(cover.counts == before)
        #expect(late.counts?.polls == 0)
        for traffic in [cover, going, late] { traffic.stop() }
        await other.shutDown()
    }
}
