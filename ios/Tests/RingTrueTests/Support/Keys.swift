// Keys that fail in every way, around one that works.

import Foundation
import RingTrue

/// What a key store may do instead of its work.
enum KeyFault: CaseIterable, Sendable {
    case throwsError
    case tooShort
    case empty
    case hashesTwice
    case garbage
}

/// A signer that fails when it signs.
struct FaultySigner: Signer {
    struct Locked: Error {}

    let good: SoftwareSigner
    let fault: KeyFault

    func publicKey() throws -> Data {
        try good.publicKey()
    }

    func sign(message: Data, digest: Data) throws -> DeviceSignature {
        switch fault {
        case .throwsError: throw Locked()
        case .tooShort:
            guard case .raw(let octets) = try good.sign(message: message, digest: digest) else {
                return .raw(Data(repeating: 1, count: 63))
            }
            return .raw(octets.dropLast())
        case .empty: return .der(Data())
        case .hashesTwice: return try good.sign(message: digest, digest: Data(digest.reversed()))
        case .garbage: return .der(Data([0x30, 0]))
        }
    }
}

/// A signer whose public key is not right.
struct PublicKeySigner: Signer {
    let good: SoftwareSigner
    let change: @Sendable (Data) throws -> Data

    func publicKey() throws -> Data {
        try change(try good.publicKey())
    }

    func sign(message: Data, digest: Data) throws -> DeviceSignature {
        try good.sign(message: message, digest: digest)
    }
}

/// A signer that does not return until it is let go, as one that waits for a finger.
final class WaitingSigner: Signer {
    let asked = Event()
    let release = Event()
    private let good: SoftwareSigner
    private let waitsForPublicKey: Bool

    init(_ good: SoftwareSigner, forPublicKey: Bool = false) {
        self.good = good
        waitsForPublicKey = forPublicKey
    }

    func publicKey() throws -> Data {
        if waitsForPublicKey { wait() }
        return try good.publicKey()
    }

    func sign(message: Data, digest: Data) throws -> DeviceSignature {
        wait()
        return try good.sign(message: message, digest: digest)
    }

    private func wait() {
        asked.happen()
        release.block()
    }
}

/// A key-agreement key that says who it is and then does something else than agreeing.
struct FaultyAgreement: KeyAgreement {
    let good: SoftwareSigner
    let answer: @Sendable () throws -> Data

    func publicKey() throws -> Data {
        try good.publicKey()
    }

    func agree(peer: Data) throws -> Data {
        try answer()
    }
}
