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

/// Keeps everything in memory, as much as one endpoint has.
private final class Records: StateStore, @unchecked Sendable {
    let asked = Counter()
    // Read and written with the lock held.
    private let lock = NSLock()
    private var records: [String: Data] = [:]

    func load(name: String) throws -> Data? {
        asked.next()
        return lock.withLock { records[name] }
    }

    func save(name: String, expected: Data?, value: Data) throws -> Bool {
        asked.next()
        return lock.withLock {
            guard records[name] == expected else { return false }
            records[name] = value
            return true
        }
    }

    func claim(name: String, expires: Date, now: Date) throws -> Bool {
        asked.next()
        return true
    }
}

/// Counts lines, and throws each away.
private struct Lines: LogSink {
    struct Full: Error {}

    let counter = Counter()

    func log(level: LogLevel, target: String, message: String) throws {
        counter.next()
        throw Full()
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
        let records = Records()
        let lines = Lines()
        let media = MediaKeys(fingerprints: [.init(algorithm: "sha-256", digest: Data(repeating: 1, count: 32))])
        var config = try lab.config(number)
        config.stateFile = nil
        config.stateKey = Data(repeating: 1, count: 32)
        let endpoint = try await Endpoint.open(
            config, signer: try lab.signer(number), transport: service, store: records)
        try setLogSink(lines, level: .debug)
        func calls(_ count: Int) async throws {
            for _ in 0..<count {
                // Both ways, each with everything that crosses the border: keys, transport, store, log, errors, verdicts.
                let placed = try await endpoint.place(from: number, to: other, freshKeys: true, media: media)
                #expect(placed.placement == .unprotected)
                #expect(endpoint.mayBeDialled(placed))
                let outgoing = endpoint.outgoing(placed)
                try outgoing.media(media)
                outgoing.ended()
                let call = try await endpoint.ring(from: other, to: number, deadline: .milliseconds(1))
                #expect(!call.verdict.verdict.isGood)
                try call.media(own: media, other: media)
                call.ended()
                _ = try await endpoint.readers(deadline: .seconds(10))
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
        try setLogSink(nil)
        print("growth over 1,000 calls: \(growth) octets, \(service.requests.current) requests,",
            "store asked \(records.asked.current) times, \(lines.counter.current) lines")
        #expect(growth < limit)
        #expect(records.asked.current > 1_000 && lines.counter.current > 0)
        await endpoint.shutDown()
    }
}
