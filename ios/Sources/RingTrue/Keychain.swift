// Items in the keychain: after the first unlock, on this device alone, shared with extensions. Apple's systems only.

#if canImport(Security)
public import Foundation
public import Security

/// What the keychain said instead of doing its work.
public struct KeychainError: Error, Sendable, Hashable {
    /// The system's code (`SecBase.h`).
    public let status: OSStatus
}

/// The 32 octets that seal the state file, in the keychain.
public enum KeychainStateKey {
    /// The state key of this name, or a new one. All processes that share a state file give the same name and access group.
    ///
    /// - Throws: `KeychainError`. Do not go on with another key then: the endpoint would begin anew.
    public static func load(name: String, accessGroup: String? = nil) throws -> Data {
        let item = KeychainItem(service: "io.ringtrue.state", name: name, accessGroup: accessGroup)
        return try item.load(
            read: { octets in
                guard octets.count == 32 else { throw KeychainError(status: errSecDecode) }
                return octets
            },
            make: {
                var octets = Data(count: 32)
                let status = octets.withUnsafeMutableBytes { buffer in
                    buffer.baseAddress.map { SecRandomCopyBytes(kSecRandomDefault, buffer.count, $0) }
                        ?? errSecAllocate
                }
                guard status == errSecSuccess else { throw KeychainError(status: status) }
                return (octets, octets)
            }
        )
    }
}

/// One generic password item.
struct KeychainItem {
    let service: String
    let name: String
    let accessGroup: String?

    /// The protection of new keys: readable when the device is locked, never on another device.
    static func accessControl() throws -> SecAccessControl {
        var error: Unmanaged<CFError>?
        let control = SecAccessControlCreateWithFlags(
            nil, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly, .privateKeyUsage, &error)
        guard let control else { throw KeychainError(status: errSecParam) }
        return control
    }

    /// Reads the item, or makes it. Of two processes that make it at the same time one is first, and both use what that one made.
    func load<Key>(read: (Data) throws -> Key, make: () throws -> (Key, Data)) throws -> Key {
        if let octets = try find() { return try read(octets) }
        let (key, octets) = try make()
        var attributes = query
        attributes[kSecValueData] = octets
        attributes[kSecAttrAccessible] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
        let status = SecItemAdd(attributes as CFDictionary, nil)
        if status == errSecDuplicateItem, let octets = try find() { return try read(octets) }
        guard status == errSecSuccess else { throw KeychainError(status: status) }
        return key
    }

    private var query: [CFString: Any] {
        var query: [CFString: Any] = [
            kSecClass: kSecClassGenericPassword,
            kSecAttrService: service,
            kSecAttrAccount: name,
            kSecAttrSynchronizable: false,
            kSecUseDataProtectionKeychain: true,
        ]
        if let accessGroup { query[kSecAttrAccessGroup] = accessGroup }
        return query
    }

    private func find() throws -> Data? {
        var query = query
        query[kSecReturnData] = true
        query[kSecMatchLimit] = kSecMatchLimitOne
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        switch status {
        case errSecSuccess: return found as? Data
        case errSecItemNotFound: return nil
        default: throw KeychainError(status: status)
        }
    }
}
#endif
