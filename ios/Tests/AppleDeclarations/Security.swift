// What the package uses of Apple's Security framework, and the sample of Foundation on Apple's systems alone, by hand from their
// documentation, so that it can be type-checked elsewhere.

public import Foundation

public typealias OSStatus = Int32
public typealias CFTypeRef = AnyObject
/// Apple's systems bridge a dictionary to it.
public typealias CFDictionary = [CFString: Any]

public final class CFAllocator {}
public final class CFError {}
public final class SecAccessControl {}
public final class SecRandom: Sendable {}
public typealias SecRandomRef = SecRandom

public final class CFString: Hashable, Sendable {
    public static func == (one: CFString, other: CFString) -> Bool { one === other }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

public struct SecAccessControlCreateFlags: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
    public static var privateKeyUsage: Self { Self(rawValue: 1 << 30) }
}

public var kSecAttrAccessGroup: CFString { fatalError() }
public var kSecAttrAccessible: CFString { fatalError() }
public var kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly: CFString { fatalError() }
public var kSecAttrAccount: CFString { fatalError() }
public var kSecAttrService: CFString { fatalError() }
public var kSecAttrSynchronizable: CFString { fatalError() }
public var kSecClass: CFString { fatalError() }
public var kSecClassGenericPassword: CFString { fatalError() }
public var kSecMatchLimit: CFString { fatalError() }
public var kSecMatchLimitOne: CFString { fatalError() }
public var kSecRandomDefault: SecRandomRef? { fatalError() }
public var kSecReturnData: CFString { fatalError() }
public var kSecUseDataProtectionKeychain: CFString { fatalError() }
public var kSecValueData: CFString { fatalError() }

public var errSecAllocate: OSStatus { fatalError() }
public var errSecDecode: OSStatus { fatalError() }
public var errSecDuplicateItem: OSStatus { fatalError() }
public var errSecItemNotFound: OSStatus { fatalError() }
public var errSecParam: OSStatus { fatalError() }
public var errSecSuccess: OSStatus { fatalError() }

public func SecAccessControlCreateWithFlags(
    _ allocator: CFAllocator?,
    _ protection: CFTypeRef,
    _ flags: SecAccessControlCreateFlags,
    _ error: UnsafeMutablePointer<Unmanaged<CFError>?>?
) -> SecAccessControl? { fatalError() }

public func SecItemAdd(_ attributes: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus { fatalError() }

public func SecItemCopyMatching(_ query: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus { fatalError() }

public func SecRandomCopyBytes(_ rnd: SecRandomRef?, _ count: Int, _ bytes: UnsafeMutableRawPointer) -> Int32 { fatalError() }

extension FileManager {
    public func containerURL(forSecurityApplicationGroupIdentifier groupIdentifier: String) -> URL? { fatalError() }
}
