// Keys that the application holds.

public import Foundation
internal import RingTrueFFI

/// A signature in the form the key store gives it.
public enum DeviceSignature: Sendable {
    /// A DER `ECDSA-Sig-Value`.
    case der(Data)
    /// r then s, 32 octets each.
    case raw(Data)
}

/// The private key of the STIR credential, wherever it lives: `SecureEnclaveSigner`, `KeychainSigner`,
/// `SoftwareSigner`, or one of the application's own.
///
/// Called on a thread of the library that may block. Every signature is checked against the public key
/// before it is used, so that a key store which hashes twice is noticed. Whatever is thrown becomes
/// `signer_failed`; why it failed stays with the application.
public protocol Signer: Sendable {
    /// The public half of the key: an uncompressed P-256 point, 65 octets beginning with 4. Asked for once,
    /// when the endpoint is opened.
    func publicKey() throws -> Data

    /// Signs. `message` is what the signature is over and `digest` its SHA-256: use whichever the key store's
    /// interface takes, and hash no further in the second case.
    func sign(message: Data, digest: Data) throws -> DeviceSignature
}

/// A P-256 key-agreement key in hardware, for suite S1: `SecureEnclaveKeyAgreement`, or one of the
/// application's own.
///
/// Called on a thread of the library that may block. Whatever is thrown becomes `key_agreement_failed`.
public protocol KeyAgreement: Sendable {
    /// The public half of the key: an uncompressed P-256 point, 65 octets beginning with 4. Asked for once,
    /// when the endpoint is opened.
    func publicKey() throws -> Data

    /// Plain ECDH with `peer` (an uncompressed point, already checked to be on the curve): the X coordinate,
    /// 32 octets, without any key derivation. Variants with a built-in derivation are wrong here.
    func agree(peer: Data) throws -> Data
}

/// A credential key in memory. Prefer a key in hardware where there is one.
public struct SoftwareSigner: Signer {
    private let ffi: any RingTrueFFI.Signer

    /// Reads an unencrypted PKCS#8 `PRIVATE KEY` PEM block with a P-256 key.
    ///
    /// - Throws: `malformed_pem`.
    public init(pkcs8Pem: String) throws(RingTrueError) {
        try Library.check()
        do {
            ffi = try RingTrueFFI.softwareSigner(pkcs8Pem: pkcs8Pem)
        } catch {
            throw RingTrueError(error)
        }
    }

    public func publicKey() throws -> Data {
        try ffi.publicKey()
    }

    public func sign(message: Data, digest: Data) throws -> DeviceSignature {
        switch try ffi.sign(message: message, digest: digest) {
        case .der(let octets): .der(octets)
        case .raw(let octets): .raw(octets)
        }
    }
}

/// A key-agreement key in memory. For tests: without any key agreement the endpoint makes its own encryption keys, which
/// change and so protect better.
public struct SoftwareKeyAgreement: KeyAgreement {
    private let ffi: any RingTrueFFI.KeyAgreement

    /// Reads an unencrypted PKCS#8 `PRIVATE KEY` PEM block with a P-256 key.
    ///
    /// - Throws: `malformed_pem`.
    public init(pkcs8Pem: String) throws(RingTrueError) {
        try Library.check()
        do {
            ffi = try RingTrueFFI.softwareKeyAgreement(pkcs8Pem: pkcs8Pem)
        } catch {
            throw RingTrueError(error)
        }
    }

    public func publicKey() throws -> Data {
        try ffi.publicKey()
    }

    public func agree(peer: Data) throws -> Data {
        try ffi.agree(peer: peer)
    }
}

/// Where private keys of an application are.
public enum KeyProtection: String, Sendable, CaseIterable {
    /// In the Secure Enclave: nobody can copy them, not even this application.
    case secureEnclave = "secure_enclave"
    /// Made by software and kept in the keychain of this device.
    case keychain
}

/// The application's signer as the generated code wants it.
final class HostSigner: RingTrueFFI.Signer {
    private let signer: any Signer

    init(_ signer: any Signer) {
        self.signer = signer
    }

    func publicKey() throws -> Data {
        try orFailed { try signer.publicKey() }
    }

    func sign(message: Data, digest: Data) throws -> RingTrueFFI.DeviceSignature {
        switch try orFailed({ try signer.sign(message: message, digest: digest) }) {
        case .der(let octets): .der(octets: octets)
        case .raw(let octets): .raw(octets: octets)
        }
    }
}

/// The application's key agreement as the generated code wants it.
final class HostKeyAgreement: RingTrueFFI.KeyAgreement {
    private let agreement: any KeyAgreement

    init(_ agreement: any KeyAgreement) {
        self.agreement = agreement
    }

    func publicKey() throws -> Data {
        try orFailed { try agreement.publicKey() }
    }

    func agree(peer: Data) throws -> Data {
        try orFailed { try agreement.agree(peer: peer) }
    }
}
