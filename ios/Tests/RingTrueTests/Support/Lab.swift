// A laboratory: credentials of test numbers, and the real service, which `cargo xtask test --swift` runs as a process.

import Foundation
import RingTrue
import Testing

/// How long a test waits for what must happen; a machine that has other work may take its time.
let patience: Duration = .seconds(60)

/// The laboratory folder and the service of this test run.
final class Lab: Sendable {
    static let shared = Lab()

    /// Where the service is.
    let baseUrl: String
    private let folder: URL
    private let x5uBase: String
    private let unused = Counter(from: 12_025_550_200)
    private let states = Counter(from: 0)

    private init() {
        let environment = ProcessInfo.processInfo.environment
        guard let lab = environment["RINGTRUE_LAB"], let service = environment["RINGTRUE_SERVICE"] else {
            fatalError("RINGTRUE_LAB and RINGTRUE_SERVICE are not set: run `cargo xtask test --swift`")
        }
        folder = URL(fileURLWithPath: lab)
        baseUrl = service
        guard let toml = try? String(contentsOf: folder.appendingPathComponent("lab.toml"), encoding: .utf8),
            let line = toml.split(separator: "\n").first(where: { $0.hasPrefix("x5u_base") }),
            let value = line.split(separator: "\"").dropFirst().first
        else { fatalError("no laboratory in \(lab)") }
        x5uBase = String(value)
    }

    /// A number with a credential that no test has used.
    func number() -> String { String(unused.next()) }

    /// A file of the laboratory.
    func read(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }

    /// The name of a state file that no test has used.
    func stateFile() -> String {
        let run = ProcessInfo.processInfo.processIdentifier
        return folder.appendingPathComponent("swift-\(run)-\(states.next()).state").path
    }

    /// The configuration of an endpoint for `number`, with a state file of its own and the credential of `owner`.
    func config(_ number: String, credentialOf owner: String? = nil) throws -> EndpointConfig {
        let owner = owner ?? number
        var config = EndpointConfig(
            numbers: [number],
            services: [baseUrl],
            anchorsPem: [try read("root.pem")],
            stateFile: stateFile()
        )
        config.allowDirect = true
        config.credential = Credential(
            chainPem: try read("\(owner)/chain.pem"),
            x5u: "\(x5uBase)/\(owner).pem"
        )
        config.http = HttpSettings(
            extraRootsPem: [try read("tls-root.pem")],
            webRoots: false,
            allowLoopback: true
        )
        config.policy.profile = .delegate
        // What is there is found, however busy the machine.
        config.policy.placeDeadline = patience
        config.policy.ringDeadline = patience
        config.policy.answerDeadline = patience
        config.policy.directoryDeadline = patience
        config.policy.awaitAnswer = patience
        return config
    }

    /// The credential key of a number.
    func signer(_ number: String) throws -> SoftwareSigner {
        try SoftwareSigner(pkcs8Pem: try read("\(number)/key.pem"))
    }

    /// An endpoint with a credential and keys of its own.
    func endpoint(_ number: String) async throws -> Endpoint {
        try await Endpoint.open(try config(number), signer: try signer(number))
    }
}

/// Counts on, from any thread.
final class Counter: @unchecked Sendable {
    // Read and written with the lock held.
    private let lock = NSLock()
    private var value: Int

    init(from value: Int = 0) {
        self.value = value
    }

    /// The value, which is then one more.
    @discardableResult
    func next() -> Int {
        lock.withLock {
            defer { value += 1 }
            return value
        }
    }

    /// The value as of now.
    var current: Int { lock.withLock { value } }
}

/// A list that any thread appends to.
final class Record<Element: Sendable>: @unchecked Sendable {
    // Read and written with the lock held.
    private let lock = NSLock()
    private var elements: [Element] = []

    func append(_ element: Element) {
        lock.withLock { elements.append(element) }
    }

    var all: [Element] { lock.withLock { elements } }
}

/// Something that happens once, waited for by tasks and by threads that may block.
final class Event: @unchecked Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func happen() {
        semaphore.signal()
    }

    /// Blocks a thread that may block.
    func block() {
        semaphore.wait()
        semaphore.signal()
    }

    /// Waits without blocking the task's thread; fails the test after a minute.
    func wait(sourceLocation: SourceLocation = #_sourceLocation) async {
        let happened = await withCheckedContinuation { continuation in
            Thread.detachNewThread { [semaphore] in
                let outcome = semaphore.wait(timeout: .now() + 60)
                semaphore.signal()
                continuation.resume(returning: outcome == .success)
            }
        }
        #expect(happened, "it did not happen within a minute", sourceLocation: sourceLocation)
    }
}

/// Looks until it is so; fails the test after a minute.
func eventually(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ isSo: () async throws -> Bool
) async rethrows {
    guard try await within(patience, isSo) else {
        Issue.record("it was not so within a minute", sourceLocation: sourceLocation)
        return
    }
}

/// Looks until it is so, or the time is over: then it is not.
func within(_ time: Duration, _ isSo: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + time
    while try await !isSo() {
        if ContinuousClock.now > end { return false }
        // A cancelled test goes on looking, without a pause.
        try? await Task.sleep(for: .milliseconds(20))
    }
    return true
}

/// The names of reasons.
func names(_ reasons: [Reason]) -> [String] {
    reasons.map(\.name)
}

/// Fails unless `work` fails with this error.
func expectError(
    _ kind: Reason.Kind,
    _ code: Int,
    _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ work: () async throws(RingTrueError) -> Void
) async {
    do {
        try await work()
        Issue.record("no error, expected \(name)", sourceLocation: sourceLocation)
    } catch {
        #expect(error.kind == kind, sourceLocation: sourceLocation)
        #expect(error.code.rawValue == code, sourceLocation: sourceLocation)
        #expect(error.name == name, sourceLocation: sourceLocation)
    }
}
