// Keys in the Secure Enclave, and keys in the keychain for where there is none. Apple's systems only.

#if canImport(CryptoKit) && canImport(Security)
internal import CryptoKit
public import Foundation

/// The private key of the STIR credential in the Secure Enclave: nobody can copy it.
///
/// It needs no unlocked device and no face: calls come while the device is locked. After a restart it is there once the
/// device was unlocked for the first time.
public struct SecureEnclaveSigner: Signer {
    private let key: SecureEnclave.P256.Signing.PrivateKey

    /// The key of this name in the keychain, or a new one.
    ///
    /// - Throws: `KeychainError`, or what the Secure Enclave says. On a device without one, and in most simulators, use
    ///   `KeychainSigner`.
    public init(name: String, accessGroup: String? = nil) throws {
        let item = KeychainItem(service: "io.ringtrue.signing", name: name, accessGroup: accessGroup)
        key = try item.load(
            read: { try SecureEnclave.P256.Signing.PrivateKey(dataRepresentation: $0) },
            make: {
                let key = try SecureEnclave.P256.Signing.PrivateKey(accessControl: KeychainItem.accessControl())
                return (key, key.dataRepresentation)
            }
        )
    }

    public func publicKey() -> Data { key.publicKey.x963Representation }

    public func sign(message: Data, digest: Data) throws -> DeviceSignature {
        // Hashes the message with SHA-256 itself.
        .raw(try key.signature(for: message).rawRepresentation)
    }
}

/// A key-agreement key in the Secure Enclave, for suite S1. Each blob in a mailbox costs one agreement.
public struct SecureEnclaveKeyAgreement: KeyAgreement {
    private let key: SecureEnclave.P256.KeyAgreement.PrivateKey

    /// The key of this name in the keychain, or a new one.
    ///
    /// - Throws: `KeychainError`, or what the Secure Enclave says.
    public init(name: String, accessGroup: String? = nil) throws {
        let item = KeychainItem(service: "io.ringtrue.agreement", name: name, accessGroup: accessGroup)
        key = try item.load(
            read: { try SecureEnclave.P256.KeyAgreement.PrivateKey(dataRepresentation: $0) },
            make: {
                let key = try SecureEnclave.P256.KeyAgreement.PrivateKey(accessControl: KeychainItem.accessControl())
                return (key, key.dataRepresentation)
            }
        )
    }

    public func publicKey() -> Data { key.publicKey.x963Representation }

    public func agree(peer: Data) throws -> Data {
        let peer = try P256.KeyAgreement.PublicKey(x963Representation: peer)
        // The plain secret: derivation is the library's.
        return try key.sharedSecretFromKeyAgreement(with: peer).withUnsafeBytes { Data($0) }
    }
}

/// The private key of the STIR credential, made by software and kept in the keychain of this device. For simulators, and for
/// devices without a Secure Enclave; the application can read the key.
public struct KeychainSigner: Signer {
    private let key: P256.Signing.PrivateKey

    /// The key of this name in the keychain, or a new one.
    ///
    /// - Throws: `KeychainError`.
    public init(name: String, accessGroup: String? = nil) throws {
        let item = KeychainItem(service: "io.ringtrue.software-signing", name: name, accessGroup: accessGroup)
        key = try item.load(
            read: { try P256.Signing.PrivateKey(rawRepresentation: $0) },
            make: {
                let key = P256.Signing.PrivateKey()
                return (key, key.rawRepresentation)
            }
        )
    }

    public func publicKey() -> Data { key.publicKey.x963Representation }

    public func sign(message: Data, digest: Data) throws -> DeviceSignature {
        .raw(try key.signature(for: message).rawRepresentation)
    }
}

/// The best signer that this device has, and where its key is.
///
/// - Throws: `KeychainError`, or what the Secure Enclave says.
public func deviceSigner(
    name: String,
    accessGroup: String? = nil
) throws -> (signer: any Signer, protection: KeyProtection) {
    if SecureEnclave.isAvailable {
        return (try SecureEnclaveSigner(name: name, accessGroup: accessGroup), .secureEnclave)
    }
    return (try KeychainSigner(name: name, accessGroup: accessGroup), .keychain)
}
#endif
