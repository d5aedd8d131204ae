// JSON as scenario files use it.

import Foundation

enum Json: Sendable, Equatable, Decodable {
    case null
    case bool(Bool)
    case integer(Int)
    case text(String)
    case list([Json])
    case object([String: Json])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? value.decode(Int.self) {
            self = .integer(integer)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([Json].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: Json].self))
        }
    }

    /// A member; nothing where it is missing or this is no object.
    subscript(_ name: String) -> Json? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    var integer: Int? {
        if case .integer(let integer) = self { integer } else { nil }
    }

    var bool: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    var list: [Json] {
        if case .list(let list) = self { list } else { [] }
    }

    var object: [String: Json] {
        if case .object(let members) = self { members } else { [:] }
    }

    /// A list of texts.
    var texts: [String] { list.compactMap(\.text) }

    static func texts(_ texts: [String]) -> Json {
        .list(texts.map(Json.text))
    }
}
