// Nothing grows from call to call.

import CAllocator
import Foundation
import RingTrue
import Testing

/// Knows nobody's keys and has no mail, at once.
private final class EmptyService: Transport {
    let requests = Counter()

    func execute(role: Role, request: HttpRequest, maxAnswerOctets: Int, timeLeft: Duration) throws -> HttpResponse {
        requests.next()
        switch role {
        case .retrieve:
            let type = HttpHeader(name: "content-type", value: "application/passport")
            return HttpResponse(status: 200, headers: [type])
        default:
            return HttpResponse(status: 404)
        }
    }
}

@Suite struct LeakTests {
    /// Octets in use in this process, by Swift and by the library alike: both use the system's allocator.
    private func octetsInUse() -> Int {
        let info = mallinfo2()
        return Int(info.uordblks) + Int(info.hblkhd)
    }

    @Test func nothingGrowsOverAThousandCalls() async throws {
        let lab = Lab.shared
        let number = lab.number()
        let other = lab.number()
        let service = EmptyService()
        let endpoint = try await Endpoint.open(
            try lab.config(number), signer: try lab.signer(number), transport: service)
        func calls(_ count: Int) async throws {
            for _ in 0..<count {
                // Both ways, each with everything that crosses the border: keys, transport, errors, verdicts, streams.
                let placed = try await endpoint.place(from: number, to: other, freshKeys: true)
                #expect(placed.placement == .unprotected)
                let outgoing = endpoint.outgoing(placed)
                outgoing.ended()
                let call = try await endpoint.ring(from: other, to: number, deadline: .milliseconds(1))
                #expect(!call.verdict.verdict.isGood)
                call.ended()
                do {
                    _ = try await endpoint.place(from: other, to: number)
                    Issue.record("placed from a number that is not its own")
                } catch {
                    #expect(error.code == .numberNotOwned)
                }
            }
        }
        /// What a call leaves behind for some seconds, polls that are due and calls just ended, is no growth.
        func settledOctets(below limit: Int) async throws -> Int {
            for _ in 0..<20 where octetsInUse() >= limit { try await Task.sleep(for: .seconds(1)) }
            return octetsInUse()
        }
        // Until caches are filled and threads have started.
        let fresh = octetsInUse()
        try await calls(300)
        let before = try await settledOctets(below: fresh)
        try await calls(1_000)
        // Less than one kept call: its verdict with nine checks and two numbers takes over a thousand octets.
        let limit = 300_000
        let growth = try await settledOctets(below: before + limit) - before
        print("growth over 1,000 calls: \(growth) octets, \(service.requests.current) requests")
        #expect(growth < limit)
        await endpoint.shutDown()
    }
}
