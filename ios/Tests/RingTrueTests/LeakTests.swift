// Nothing grows from call to call.
//
// With XCTest, which `swift test` runs in a process of its own: Swift Testing keeps where each error was thrown for as long as
// a test runs, some 170 octets each, and they could not be told from a leak.

import CAllocator
import Foundation
import RingTrue
import XCTest

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

final class LeakTests: XCTestCase {
    private static let calls = 1_000
    /// Half of what one thing left behind by each call would take: the system's allocator gives 32 octets or more for each.
    private static let limit = 16 * calls
    /// What leaks does so in every round; threads and caches that come with the first calls do not.
    private static let rounds = 5

    /// Octets in use in this process, by Swift and by the library alike: both use the system's allocator.
    private static func octetsInUse() -> Int {
        let info = mallinfo2()
        return Int(info.uordblks) + Int(info.hblkhd)
    }

    /// Not asynchronous itself: while XCTest waits, its run loop allocates.
    func testNothingGrowsOverAThousandCalls() {
        let over = Event()
        Task {
            do { try await LeakTests.growOverCalls() } catch { XCTFail("\(error)") }
            over.happen()
        }
        over.block()
    }

    private static func growOverCalls() async throws {
        let lab = Lab.shared
        let number = lab.number()
        let other = lab.number()
        let service = EmptyService()
        let endpoint = try await Endpoint.open(
            try lab.config(number), signer: try lab.signer(number), transport: service)
        /// Both ways, each with everything that crosses the border: keys, transport, errors, verdicts, readers.
        func call() async throws -> RingingCall {
            let placed = try await endpoint.place(from: number, to: other, freshKeys: true)
            XCTAssertEqual(placed.placement, .unprotected)
            let outgoing = endpoint.outgoing(placed)
            outgoing.ended()
            let call = try await endpoint.ring(from: other, to: number, deadline: .milliseconds(1))
            XCTAssertFalse(call.verdict.verdict.isGood)
            call.ended()
            let readers = try await endpoint.readers()
            XCTAssertEqual(readers.count, 1)
            do {
                _ = try await endpoint.place(from: other, to: number)
                XCTFail("placed from a number that is not its own")
            } catch {
                XCTAssertEqual(error.code, .numberNotOwned)
            }
            return call
        }
        /// Makes calls, and follows each to its end: the mailbox is looked into for some seconds.
        func calls(_ count: Int) async throws {
            var made: [RingingCall] = []
            for _ in 0..<count { made.append(try await call()) }
            for call in made { for await _ in call.changes {} }
        }
        try await calls(Self.calls)
        var growths: [Int] = []
        while growths.count < rounds && growths.allSatisfy({ $0 >= limit }) {
            let before = octetsInUse()
            try await calls(Self.calls)
            growths.append(octetsInUse() - before)
        }
        print("growth over \(Self.calls) calls: \(growths) octets, \(service.requests.current) requests")
        XCTAssertTrue(growths.contains { $0 < limit }, "\(growths)")
        await endpoint.shutDown()
    }
}
