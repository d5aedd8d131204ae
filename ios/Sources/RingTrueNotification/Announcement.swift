// What a push says: that a call was announced, and where to look.

public import Foundation

/// The content of a push that tells of an announced call. Nothing in it is believed: it only says for which call to look,
/// and is worth nothing until `Endpoint` has verified that call. Its text shows nothing of it.
///
/// In the payload it is the member `ringtrue`, beside `aps`:
///
/// ```json
/// {"aps": {"alert": {"title": "A call"}, "mutable-content": 1},
///  "ringtrue": {"v": 1, "at": 1800000000, "from": "12025550143", "to": "12025550199"}}
/// ```
public struct Announcement: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Why a payload is no announcement.
    public enum Fault: Error, Sendable, CaseIterable {
        /// No JSON object, or without the member `ringtrue`.
        case malformed
        /// A member is missing, of another type, or outside its limits.
        case memberInvalid
        /// More than 4096 octets.
        case tooLarge
        /// A version that this library does not know.
        case versionUnknown
    }

    /// The most octets of a payload: what Apple's push service delivers at most.
    public static let maxPayloadOctets = 4_096
    /// The most characters of a number as it may be written: 15 digits (E.164) with separators.
    public static let maxNumberCharacters = 32

    /// When the sender says that the call was announced.
    public let announced: Date
    /// The calling number, if the push names it. Without it nothing can be verified.
    public let from: String?
    /// The called number, if the push names it: one of the own.
    public let to: String?

    public var description: String { "Announcement(..)" }
    public var debugDescription: String { description }

    /// Reads a payload as it came from the push service.
    ///
    /// - Throws: `Fault`.
    public init(payload: Data) throws(Fault) {
        guard payload.count <= Self.maxPayloadOctets else { throw .tooLarge }
        let whole: Payload
        do {
            whole = try JSONDecoder().decode(Payload.self, from: payload)
        } catch {
            throw .malformed
        }
        guard let content = whole.ringtrue else { throw .malformed }
        try self.init(content)
    }

    /// Reads a payload that the system has already taken apart (`UNNotificationContent.userInfo`).
    ///
    /// - Throws: `Fault`.
    public init(userInfo: [AnyHashable: Any]) throws(Fault) {
        guard JSONSerialization.isValidJSONObject(userInfo),
            let payload = try? JSONSerialization.data(withJSONObject: userInfo)
        else { throw .malformed }
        try self.init(payload: payload)
    }

    private init(_ content: Payload.Content) throws(Fault) {
        guard let version = content.version.value else { throw .memberInvalid }
        guard version == 1 else { throw .versionUnknown }
        // A time that no calendar shows is not carried further.
        guard let seconds = content.announced.value, (0...4_294_967_295).contains(seconds) else {
            throw .memberInvalid
        }
        announced = Date(timeIntervalSince1970: TimeInterval(seconds))
        from = try Self.number(content.from)
        to = try Self.number(content.to)
    }

    private static func number(_ member: Member<String>) throws(Fault) -> String? {
        switch member {
        case .missing: return nil
        case .invalid: throw .memberInvalid
        case .value(let text):
            // Whether it is a number is for the endpoint to say; this only keeps what is none from going further.
            let allowed = text.allSatisfy { $0.isASCII && ($0.isNumber || "+-. ()".contains($0)) }
            guard allowed, text.contains(where: \.isNumber), text.count <= maxNumberCharacters else {
                throw .memberInvalid
            }
            return text
        }
    }
}

/// A member that may be missing, or of another type than it should.
private enum Member<Value: Decodable & Sendable>: Sendable {
    case missing
    case invalid
    case value(Value)

    var value: Value? {
        if case .value(let value) = self { value } else { nil }
    }
}

private struct Payload: Decodable {
    struct Content: Decodable {
        let version: Member<Int64>
        let announced: Member<Int64>
        let from: Member<String>
        let to: Member<String>

        private enum Key: String, CodingKey {
            case version = "v"
            case announced = "at"
            case from
            case to
        }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: Key.self)
            func read<Value>(_ key: Key) -> Member<Value> {
                guard members.contains(key) else { return .missing }
                guard let value = try? members.decode(Value.self, forKey: key) else { return .invalid }
                return .value(value)
            }
            version = read(.version)
            announced = read(.announced)
            from = read(.from)
            to = read(.to)
        }
    }

    let ringtrue: Content?
}
