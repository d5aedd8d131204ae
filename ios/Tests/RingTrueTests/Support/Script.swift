// The surroundings of an endpoint as a scenario file describes them: HTTP, clock and keys.

import Foundation
import RingTrue

/// One request that was sent.
struct Sent: Sendable {
    let method: String
    let url: String
    let body: Data
    let hasRule: Bool
}

/// What the parts below share; steps change it.
final class Script: @unchecked Sendable {
    // All but the event is read and written with the lock held.
    private let lock = NSLock()
    private var clockUnixMs: Int?
    private var behaviours: [String: String] = [:]
    private var rules: [String: Json] = [:]
    private var sent: [Sent] = []
    private let over = Event()

    init(clock: Json?) {
        clockUnixMs = clock?.integer
    }

    func apply(_ step: Json) {
        lock.withLock {
            for (name, value) in step["set"]?.object ?? [:] {
                if name == "clock_unix_ms" { clockUnixMs = value.integer } else { behaviours[name] = value.text }
            }
            for rule in step["answers"]?.list ?? [] {
                rules["\(rule["method"]?.text ?? "") \(rule["url"]?.text ?? "")"] = rule
            }
        }
    }

    func behaviour(of key: String) -> String {
        lock.withLock { behaviours[key] ?? "works" }
    }

    var now: Date? {
        lock.withLock { clockUnixMs.map { Date(timeIntervalSince1970: TimeInterval($0) / 1_000) } }
    }

    func rule(for request: HttpRequest) -> Json? {
        lock.withLock {
            let rule = rules["\(request.method.rawValue) \(request.url)"]
            let made = Sent(
                method: request.method.rawValue, url: request.url, body: request.body, hasRule: rule != nil)
            sent.append(made)
            return rule
        }
    }

    func takeSent() -> [Sent] {
        lock.withLock {
            defer { sent = [] }
            return sent
        }
    }

    /// Does not return before the file ends.
    func never() {
        over.block()
    }

    func end() {
        over.happen()
    }
}

/// Something that the interface does not know.
struct Unknown: Error {}

struct ScriptedTransport: Transport {
    let script: Script

    func execute(role: Role, request: HttpRequest, maxAnswerOctets: Int, timeLeft: Duration) throws -> HttpResponse {
        guard let rule = script.rule(for: request) else { throw TransportError.unreachable }
        switch rule["fault"]?.text {
        case nil: break
        case "unreachable": throw TransportError.unreachable
        case "tls_failed": throw TransportError.tlsFailed
        case "redirected": throw TransportError.redirected
        case "address_not_allowed": throw TransportError.addressNotAllowed
        case "answer_too_large": throw TransportError.answerTooLarge
        case "deadline_passed": throw TransportError.deadlinePassed
        case "never":
            script.never()
            throw TransportError.unreachable
        case .some: throw Unknown()
        }
        let headers = (rule["headers"]?.list ?? []).map { pair in
            HttpHeader(name: pair.texts.first ?? "", value: pair.texts.last ?? "")
        }
        return HttpResponse(status: rule["status"]?.integer ?? 0, headers: headers, body: body(rule))
    }

    private func body(_ rule: Json) -> Data {
        if let text = rule["text"]?.text { return Data(text.utf8) }
        if let octets = rule["octets"]?.text {
            let base64 = octets.replacing("-", with: "+").replacing("_", with: "/")
            let padding = String(repeating: "=", count: (4 - base64.count % 4) % 4)
            return Data(base64Encoded: base64 + padding) ?? Data()
        }
        return Data(repeating: UInt8(ascii: "x"), count: rule["filler"]?.integer ?? 0)
    }
}

struct ScriptedClock: WallClock {
    let script: Script

    func now() -> Date? { script.now }
}

struct ScriptedSigner: Signer {
    let script: Script
    let own: SoftwareSigner
    let other: SoftwareSigner?

    init(script: Script, key: Json) throws {
        self.script = script
        own = try SoftwareSigner(pkcs8Pem: key["private_pem"]?.text ?? "")
        other = try key["other_private_pem"]?.text.map { pem in try SoftwareSigner(pkcs8Pem: pem) }
    }

    func publicKey() throws -> Data {
        try scriptedPublicKey(script.behaviour(of: "signer"), own.publicKey())
    }

    func sign(message: Data, digest: Data) throws -> DeviceSignature {
        let behaviour = script.behaviour(of: "signer")
        if behaviour == "throws" { throw Unknown() }
        if behaviour == "never" {
            script.never()
            throw Unknown()
        }
        let signer = behaviour == "wrong_key" ? other ?? own : own
        var octets = raw(try signer.sign(message: message, digest: digest))
        if behaviour == "wrong_length" { octets.removeLast() }
        if behaviour == "wrong_signature", let last = octets.popLast() { octets.append(last ^ 1) }
        return .raw(Data(octets))
    }

    /// r and s, 32 octets each, whatever the form.
    private func raw(_ signature: DeviceSignature) -> [UInt8] {
        switch signature {
        case .raw(let octets): return Array(octets)
        case .der(let octets):
            // SEQUENCE of two INTEGERs, each with a length of one octet.
            var rest = Array(octets).dropFirst(2)
            return (0..<2).flatMap { _ in
                let length = Int(rest.dropFirst().first ?? 0)
                let integer = rest.dropFirst(2).prefix(length)
                rest = rest.dropFirst(2 + length)
                let digits = integer.drop { $0 == 0 }
                return [UInt8](repeating: 0, count: 32 - digits.count) + digits
            }
        }
    }
}

struct ScriptedAgreement: KeyAgreement {
    let script: Script
    let own: SoftwareKeyAgreement

    init(script: Script, key: Json) throws {
        self.script = script
        own = try SoftwareKeyAgreement(pkcs8Pem: key["private_pem"]?.text ?? "")
    }

    func publicKey() throws -> Data {
        try scriptedPublicKey(script.behaviour(of: "key_agreement"), own.publicKey())
    }

    func agree(peer: Data) throws -> Data {
        let behaviour = script.behaviour(of: "key_agreement")
        if behaviour == "throws" { throw Unknown() }
        if behaviour == "never" {
            script.never()
            throw Unknown()
        }
        if behaviour == "wrong_secret" { return Data(repeating: 0x42, count: 32) }
        let shared = try own.agree(peer: peer)
        return behaviour == "wrong_length" ? shared.dropLast() : shared
    }
}

private func scriptedPublicKey(_ behaviour: String, _ key: Data) throws -> Data {
    if behaviour == "throws_public_key" { throw Unknown() }
    return behaviour == "short_public_key" ? key.dropLast() : key
}
