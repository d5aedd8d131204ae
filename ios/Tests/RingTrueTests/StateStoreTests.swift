// A state store of the application's own: one that works, and ones that fail in every way.

import Foundation
import RingTrue
import Testing

/// Keeps everything in memory; does something else instead when told so.
private final class OwnStore: StateStore, @unchecked Sendable {
    struct Broken: Error {}

    enum Fault: CaseIterable {
        case none
        case loadThrows
        case saveThrows
        case claimThrows
        case saveNeverHolds
        case loadGivesGarbage
    }

    /// Asked for something while it blocks.
    let asked = Event()
    let release = Event()
    // Read and written with the lock held.
    private let lock = NSLock()
    private var records: [String: Data] = [:]
    private var marks: [String: Date] = [:]
    private var fault = Fault.none
    private var blocks = false

    func set(_ fault: Fault) {
        lock.withLock { self.fault = fault }
    }

    func block() {
        lock.withLock { blocks = true }
    }

    /// All that it holds.
    var held: Data {
        lock.withLock { records.reduce(Data()) { $0 + Data($1.key.utf8) + $1.value } + Data(marks.keys.joined().utf8) }
    }

    func load(name: String) throws -> Data? {
        if lock.withLock({ blocks }) {
            asked.happen()
            release.block()
        }
        return try lock.withLock {
            if fault == .loadThrows { throw Broken() }
            return fault == .loadGivesGarbage ? Data([1, 2, 3]) : records[name]
        }
    }

    func save(name: String, expected: Data?, value: Data) throws -> Bool {
        try lock.withLock {
            if fault == .saveThrows { throw Broken() }
            guard records[name] == expected, fault != .saveNeverHolds else { return false }
            records[name] = value
            return true
        }
    }

    func claim(name: String, expires: Date, now: Date) throws -> Bool {
        try lock.withLock {
            if fault == .claimThrows { throw Broken() }
            guard marks[name].map({ $0 < now }) ?? true else { return false }
            marks[name] = expires
            return true
        }
    }
}

@Suite struct StateStoreTests {
    private let lab = Lab.shared

    private func endpoint(_ number: String, _ store: OwnStore) async throws -> Endpoint {
        var config = try lab.config(number)
        config.stateFile = nil
        config.stateKey = Data(0..<32)
        return try await Endpoint.open(config, signer: try lab.signer(number), store: store)
    }

    /// Somebody announces a call to a number whose keys are in `store`; gives who calls.
    private func announce(to number: String, _ store: OwnStore) async throws -> String {
        let callee = try await endpoint(number, store)
        try await callee.publishKeys()
        await callee.shutDown()
        let orig = lab.number()
        let caller = try await lab.endpoint(orig)
        #expect(try await caller.place(from: orig, to: number).placement == .stored)
        await caller.shutDown()
        return orig
    }

    @Test func aStoreKeepsEverythingOverARestart() async throws {
        let store = OwnStore()
        let number = lab.number()
        let orig = try await announce(to: number, store)
        let second = try await endpoint(number, store)
        let verdict = try await second.ring(from: orig, to: number).verdict
        #expect(verdict.verdict == .verified)
        // An announcement is good once, whichever endpoint of this store sees it.
        let third = try await endpoint(number, store)
        let again = try await third.ring(from: orig, to: number).verdict
        #expect(again.verdict == .refused)
        #expect(again.reasons.map(\.code).contains(.replayed))
        // Nothing of it can be read.
        for known in [number, orig] { #expect(store.held.range(of: Data(known.utf8)) == nil) }
        #expect(store.held.count > 1_000)
        for endpoint in [second, third] { await endpoint.shutDown() }
    }

    @Test(arguments: [OwnStore.Fault.loadThrows, .saveThrows, .saveNeverHolds])
    fileprivate func aStoreThatFailsIsNamedAndTheNextCallWorks(_ fault: OwnStore.Fault) async throws {
        let store = OwnStore()
        let number = lab.number()
        let endpoint = try await endpoint(number, store)
        store.set(fault)
        await expectError(.unavailable, 5015, "state_unavailable") { () async throws(RingTrueError) in
            _ = try await endpoint.publishKeys()
        }
        store.set(.none)
        #expect(try await endpoint.publishKeys().numbers == [number])
        await endpoint.shutDown()
    }

    @Test(arguments: [OwnStore.Fault.claimThrows, .loadGivesGarbage])
    fileprivate func aCallIsNotVerifiedByAStoreThatFails(_ fault: OwnStore.Fault) async throws {
        let store = OwnStore()
        let number = lab.number()
        let orig = try await announce(to: number, store)
        store.set(fault)
        let callee: Endpoint
        do {
            callee = try await endpoint(number, store)
        } catch let error as RingTrueError {
            // A store that holds something else is noticed at once.
            #expect(fault == .loadGivesGarbage)
            #expect(error.name == "record_not_opened" || error.name == "malformed_record", "\(error)")
            return
        }
        let call = try await callee.ring(from: orig, to: number, deadline: .seconds(2))
        #expect(!call.verdict.verdict.isGood)
        #expect(!call.verdict.reasons.isEmpty)
        await callee.shutDown()
    }

    @Test func aStoreThatBlocksDoesNotOutlastTheDeadline() async throws {
        let store = OwnStore()
        let endpoint = try await endpoint(lab.number(), store)
        store.block()
        await expectError(.unavailable, 5001, "deadline_passed") { () async throws(RingTrueError) in
            _ = try await endpoint.publishKeys(deadline: .milliseconds(500))
        }
        await store.asked.wait()
        store.release.happen()
        await endpoint.shutDown()
    }

    @Test func oneOfFileAndStoreIsRequiredAndAStoreNeedsAKey() async throws {
        let number = lab.number()
        let signer = try lab.signer(number)
        let good = try lab.config(number)
        let cases: [(file: String?, key: Data?, store: OwnStore?)] = [
            (nil, nil, nil), (nil, Data(count: 32), nil), (nil, nil, OwnStore()), (nil, Data(count: 31), OwnStore()),
            (nil, Data(), OwnStore()), (good.stateFile, Data(count: 32), OwnStore()),
        ]
        for (file, key, store) in cases {
            var config = good
            config.stateFile = file
            config.stateKey = key
            let changed = config
            await expectError(.misuse, 6002, "configuration_invalid") { () async throws(RingTrueError) in
                _ = try await Endpoint.open(changed, signer: signer, store: store)
            }
        }
    }

    @Test func anEndpointThatIsLetGoLetsItsStoreGo() async throws {
        weak var kept: OwnStore?
        do {
            let store = OwnStore()
            kept = store
            let endpoint = try await endpoint(lab.number(), store)
            try await endpoint.publishKeys()
            await endpoint.shutDown()
        }
        await eventually { kept == nil }
    }
}
