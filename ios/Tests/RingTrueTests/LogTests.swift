// What is logged, to whom, and what a sink may do.

import Foundation
import RingTrue
import Testing

/// Notes what it is given, and on which thread.
private final class Lines: LogSink {
    struct Full: Error {}

    let all = Record<(level: LogLevel, target: String, message: String)>()
    let threads = Record<ObjectIdentifier>()
    let told = Event()
    private let gate: Event?
    private let throwsError: Bool

    /// `gate`: does not return from a line before it happens.
    init(gate: Event? = nil, throwsError: Bool = false) {
        self.gate = gate
        self.throwsError = throwsError
    }

    func log(level: LogLevel, target: String, message: String) throws {
        all.append((level, target, message))
        threads.append(ObjectIdentifier(Thread.current))
        told.happen()
        gate?.block()
        if throwsError { throw Full() }
    }
}

@Suite struct LogTests {
    private let lab = Lab.shared

    /// Something to tell of: a call from a number that announced nothing.
    private func ring(_ endpoint: Endpoint, from: String) async throws {
        try await endpoint.ring(from: from, deadline: .milliseconds(500)).ended()
    }

    @Test func linesComeOnAThreadOfTheirOwnAndWithoutNumbersEvenIfTheSinkThrows() async throws {
        let number = lab.number()
        let other = lab.number()
        let lines = Lines(throwsError: true)
        try setLogSink(lines, level: .debug)
        let endpoint = try await lab.endpoint(number)
        try await endpoint.publishKeys()
        try await ring(endpoint, from: other)
        await eventually { lines.all.all.contains { $0.message.contains("a call rings") } }
        try setLogSink(nil)
        let before = lines.all.all.count
        try await ring(endpoint, from: other)
        #expect(lines.all.all.count == before)
        #expect(Set(lines.threads.all).count == 1)
        let text = lines.all.all.map { "\($0.target) \($0.message)" }.joined(separator: "\n")
        for secret in [number, other, lab.baseUrl] { #expect(!text.contains(secret)) }
        #expect(lines.all.all.allSatisfy { $0.target.hasPrefix("ringtrue") })
        await endpoint.shutDown()
    }

    @Test func aSinkThatBlocksHoldsNoCallUp() async throws {
        let endpoint = try await lab.endpoint(lab.number())
        let gate = Event()
        let lines = Lines(gate: gate)
        try setLogSink(lines, level: .debug)
        try await ring(endpoint, from: lab.number())
        await lines.told.wait()
        // It is still in its first line.
        let published = try await endpoint.publishKeys()
        #expect(published.numbers == endpoint.numbers)
        #expect(lines.all.all.count == 1)
        // Ends by itself, although the sink does not.
        try setLogSink(nil)
        gate.happen()
        await endpoint.shutDown()
    }

    @Test func whatIsBelowTheLevelIsNotTold() async throws {
        let endpoint = try await lab.endpoint(lab.number())
        let few = Lines()
        try setLogSink(few, level: .error)
        try await ring(endpoint, from: lab.number())
        let many = Lines()
        try setLogSink(many, level: .debug)
        try await ring(endpoint, from: lab.number())
        await many.told.wait()
        try setLogSink(nil)
        #expect(few.all.all.allSatisfy { $0.level == .error })
        #expect(many.all.all.contains { $0.level == .debug })
        await endpoint.shutDown()
    }

    @Test func aSinkThatIsReplacedIsLetGo() async throws {
        weak var kept: Lines?
        do {
            let lines = Lines()
            kept = lines
            try setLogSink(lines, level: .debug)
        }
        #expect(kept != nil)
        try setLogSink(Lines(), level: .debug)
        await eventually { kept == nil }
        try setLogSink(nil)
        try setLogSink(nil)
    }
}
