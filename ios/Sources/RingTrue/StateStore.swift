// A state store of the application's own.

public import Foundation
internal import RingTrueFFI

/// A small key-value store with two transactions, in the place of the state file.
///
/// Called on threads of the library that may block, by several at once. Several processes may use one store (an application
/// and its extension). What a method has returned survives the death of the process at any moment. Names and values are
/// sealed: they show neither numbers nor keys. Whatever is thrown becomes `state_unavailable`.
public protocol StateStore: Sendable {
    /// Reads a record; nothing if there is none.
    func load(name: String) throws -> Data?

    /// Writes a record if it still holds `expected` (nothing: if there is none), in one transaction. False if it holds
    /// something else, and then nothing is written.
    func save(name: String, expected: Data?, value: Data) throws -> Bool

    /// Inserts the mark `name` unless it is there, in one transaction; true if it was not. Marks that expire before `now` may
    /// be forgotten. Both times are whole seconds.
    func claim(name: String, expires: Date, now: Date) throws -> Bool
}

/// The application's store as the generated code wants it.
final class HostStore: RingTrueFFI.StateStore {
    private let store: any StateStore

    init(_ store: any StateStore) {
        self.store = store
    }

    func load(name: String) throws -> Data? {
        try orFailed { try store.load(name: name) }
    }

    func save(name: String, expected: Data?, value: Data) throws -> Bool {
        try orFailed { try store.save(name: name, expected: expected, value: value) }
    }

    func claim(name: String, expiresUnixS: UInt64, nowUnixS: UInt64) throws -> Bool {
        try orFailed {
            try store.claim(
                name: name, expires: Date(unixSeconds: expiresUnixS), now: Date(unixSeconds: nowUnixS))
        }
    }
}
