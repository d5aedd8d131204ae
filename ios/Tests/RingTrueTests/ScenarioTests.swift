// The scenario files that every language runs (tests/scenarios/files/README.md), through the Swift package.

import Foundation
import RingTrue
import Testing

@Suite struct ScenarioTests {
    /// What the Swift interface can do of `needs`.
    private static let capabilities: Set<String> = ["threads", "background", "close", "public_key_callback"]

    static let files: [URL] = {
        guard let folder = ProcessInfo.processInfo.environment["RINGTRUE_SCENARIOS"] else {
            fatalError("RINGTRUE_SCENARIOS is not set: run `cargo xtask test --swift`")
        }
        let listed = try? FileManager.default.contentsOfDirectory(
            at: URL(fileURLWithPath: folder), includingPropertiesForKeys: nil)
        return (listed ?? []).filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }
    }()

    @Test func thereAreFiles() {
        #expect(Self.files.count >= 36)
    }

    @Test(arguments: files)
    func aFileRunsAsItSays(_ url: URL) async throws {
        let file = try JSONDecoder().decode(Json.self, from: Data(contentsOf: url))
        #expect(file["format"] == .integer(1))
        #expect(file["name"]?.text == url.deletingPathExtension().lastPathComponent)
        // Swift can do whatever a file needs.
        #expect(Set(file["needs"]?.texts ?? []).isSubset(of: Self.capabilities))
        let run = try ScenarioRun(file)
        for (index, step) in (file["steps"]?.list ?? []).enumerated() {
            try await run.play(step, "\(url.lastPathComponent), step \(index + 1): \(step["do"]?.text ?? "")")
        }
        await run.end()
    }
}

/// One scenario under way.
private final class ScenarioRun {
    private let file: Json
    private let script: Script
    private let stateFile = Lab.shared.stateFile()
    private var endpoint: Endpoint?
    private var opened: [Endpoint] = []
    private var calls: [String: RingingCall] = [:]
    private var hasRung = false

    init(_ file: Json) throws {
        self.file = file
        script = Script(clock: file["clock_unix_ms"])
    }

    func end() async {
        script.end()
        for endpoint in opened { await endpoint.shutDown() }
    }

    func play(_ step: Json, _ what: String) async throws {
        script.apply(step)
        var outcome: [String: Json]
        do {
            outcome = try await take(step)
        } catch let error as RingTrueError {
            #expect(file["codes"]?[error.name] == .integer(error.code.rawValue), "\(what): \(error)")
            outcome = ["error": .text(error.name)]
        }
        let expected = step["expect"]?.object ?? [:]
        #expect(expected["error"] == outcome["error"], "\(what): \(outcome)")
        for (name, value) in expected {
            if name == "reasons" {
                #expect(Set(value.texts) == Set(outcome[name]?.texts ?? []), "\(what): \(name)")
            } else {
                #expect(value == outcome[name], "\(what): \(name)")
            }
        }
        hasRung = hasRung || step["do"]?.text == "ring"
        compareRequests(step, what)
    }

    private func take(_ step: Json) async throws -> [String: Json] {
        let name = step["call"]?.text ?? "call"
        let deadline = step["deadline_ms"]?.integer.map { Duration.milliseconds($0) }
        let action = step["do"]?.text ?? ""
        if action == "open" {
            let new = try await open()
            endpoint = new
            opened.append(new)
            return [:]
        }
        let endpoint = try #require(endpoint)
        switch action {
        case "close":
            await endpoint.shutDown()
            calls = [:]
            return [:]
        case "publish_keys": return shown(try await endpoint.publishKeys(deadline: deadline))
        case "rotate_keys": return shown(try await endpoint.rotateKeys(deadline: deadline))
        case "prefetch_keys":
            let number = step["number"]?.text ?? ""
            return ["readers": .integer(try await endpoint.prefetchKeys(of: number, deadline: deadline))]
        case "place":
            let placed = try await endpoint.place(
                from: step["from"]?.text ?? "",
                to: step["to"]?.text ?? "",
                wantAnswer: step["want_answer"]?.bool ?? false,
                freshKeys: step["fresh_keys"]?.bool ?? false,
                deadline: deadline
            )
            return [
                "placement": .text(placed.placement.rawValue), "reasons": .texts(names(placed.reasons)),
                "copies": .integer(placed.copies),
            ]
        case "ring":
            let call = try await endpoint.ring(
                from: step["from"]?.text, to: step["to"]?.text, deadline: deadline)
            calls[name] = call
            return shown(call.verdict)
        default: break
        }
        let call = try #require(calls[name])
        switch action {
        case "verdict": return shown(call.verdict)
        case "await_verdict":
            await wait(for: step["expect"]?["verdict"]?.text, of: call)
            return shown(call.verdict)
        case "answered":
            call.answered()
            return [:]
        case "ended":
            call.ended()
            calls[name] = nil
            return [:]
        case "answer":
            let phase = try #require(CallPhase(rawValue: step["phase"]?.text ?? ""))
            let answered = try await endpoint.answer(call, phase: phase, deadline: deadline)
            return [
                "sent": .bool(answered.sent), "caller_gone": .bool(answered.callerGone),
                "reasons": .texts(names(answered.reasons)),
            ]
        default:
            Issue.record("\(action) is no step")
            return [:]
        }
    }

    /// Half a minute at most.
    private func wait(for wanted: String?, of call: RingingCall) async {
        let task = Task {
            let changes = call.changes
            if call.verdict.verdict.rawValue == wanted { return }
            for await verdict in changes where verdict.verdict.rawValue == wanted { return }
        }
        let timer = Task {
            try? await Task.sleep(for: .seconds(30))
            task.cancel()
        }
        await task.value
        timer.cancel()
    }

    private func open() async throws -> Endpoint {
        let settings = file["config"]?.object ?? [:]
        var config = EndpointConfig(numbers: [], services: [], anchorsPem: [], stateFile: stateFile)
        for (name, value) in settings {
            switch name {
            case "numbers": config.numbers = value.texts
            case "services": config.services = value.texts
            case "anchors_pem": config.anchorsPem = value.texts
            case "allow_direct": config.allowDirect = value.bool ?? false
            case "directory": config.directory = value.text
            case "mirror_directory": config.mirrorDirectory = value.text
            case "placement": config.placement = value.text
            case "credential":
                config.credential = Credential(
                    chainPem: value["chain_pem"]?.text ?? "", x5u: value["x5u"]?.text ?? "")
            case "policy": config.policy = policy(value)
            default: Issue.record("\(name) is no member of a configuration that this runner knows")
            }
        }
        let keys = try #require(file["keys"])
        let agreement = try keys["key_agreement"].map { try ScriptedAgreement(script: script, key: $0) }
        return try await Endpoint.open(
            config,
            signer: try ScriptedSigner(script: script, key: try #require(keys["signer"])),
            keyAgreement: agreement,
            transport: ScriptedTransport(script: script),
            clock: ScriptedClock(script: script)
        )
    }

    private func policy(_ members: Json) -> Policy {
        var policy = Policy()
        for (name, value) in members.object {
            let time = value.integer.map { Duration.milliseconds($0) }
            switch name {
            case "profile": policy.profile = value.text.flatMap(Policy.Profile.init)
            case "store_jitter_ms": policy.storeJitter = time
            case "freshness_ms": policy.freshness = time
            case "clock_skew_ms": policy.clockSkew = time
            default: Issue.record("\(name) is no member of a policy that this runner knows")
            }
        }
        return policy
    }

    private func shown(_ published: PublishedKeys) -> [String: Json] {
        ["numbers": .texts(published.numbers), "rotated": .bool(published.rotated)]
    }

    private func shown(_ verdict: CallVerdict) -> [String: Json] {
        let failed = verdict.checks.first { if case .failed = $0.result { true } else { false } }
        return [
            "verdict": .text(verdict.verdict.rawValue),
            "reasons": .texts(names(verdict.reasons)),
            "failed_check": failed.map { .text($0.name.rawValue) } ?? .null,
            "received": .integer(verdict.blobs.received),
            "opened": .integer(verdict.blobs.opened),
        ]
    }

    private func compareRequests(_ step: Json, _ what: String) {
        let sent = script.takeSent()
        for request in sent {
            #expect(request.hasRule, "\(what): no rule for \(request.method) \(request.url)")
        }
        guard let wanted = step["requests"]?.list else { return }
        func isFor(_ request: Sent, _ entry: Json) -> Bool {
            request.method == entry["method"]?.text && request.url == entry["url"]?.text
        }
        for request in sent {
            let isPoll = hasRung && request.method == "GET" && request.url.hasSuffix("/ppts")
            let isNamed = wanted.contains { isFor(request, $0) }
            #expect(isPoll || isNamed, "\(what): \(request.method) \(request.url) as well")
        }
        for entry in wanted {
            let made = sent.filter { isFor($0, entry) }
            if let count = entry["count"]?.integer { #expect(made.count == count, "\(what): \(entry)") }
            if let least = entry["at_least"]?.integer { #expect(made.count >= least, "\(what): \(entry)") }
            for request in made {
                if let octets = entry["body_octets"]?.integer { #expect(request.body.count == octets, "\(what)") }
                if let blobs = entry["blobs"]?.integer {
                    #expect(request.body.split(separator: UInt8(ascii: "\n")).count == blobs, "\(what)")
                }
            }
        }
    }
}
