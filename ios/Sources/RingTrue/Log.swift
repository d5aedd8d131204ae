// What the library logs.

internal import RingTrueFFI

/// How much is told.
public enum LogLevel: String, Sendable, CaseIterable {
    /// What needs somebody's attention.
    case error
    /// What went wrong and was dealt with.
    case warn
    /// What rarely happens and is worth knowing.
    case info
    /// What became of calls, by verdicts and reasons.
    case debug
}

/// Takes the library's log lines: an `os.Logger`, a file.
///
/// Called on one thread of the library, in order, which does nothing else: it may block. What it throws is ignored. A line
/// holds no telephone number, token, key or URL of a call.
public protocol LogSink: Sendable {
    /// Takes one line; `target` says which part of the library it is from.
    func log(level: LogLevel, target: String, message: String) throws
}

/// Hands the library's log lines, of all endpoints, to `sink` from now on, down to `level`; nothing: to nobody, as in the
/// beginning. Returns when the sink before is not called any more, after a second at the latest.
///
/// - Throws: `configuration_invalid` if something else in this process collects the log lines of the library; `internal` if
///   there is no thread.
public func setLogSink(_ sink: (any LogSink)?, level: LogLevel = .info) throws(RingTrueError) {
    try Library.check()
    do {
        try RingTrueFFI.setLogSink(sink: sink.map(HostLogSink.init), level: level.ffi)
    } catch {
        throw RingTrueError(error)
    }
}

/// The application's sink as the generated code wants it.
final class HostLogSink: RingTrueFFI.LogSink {
    private let sink: any LogSink

    init(_ sink: any LogSink) {
        self.sink = sink
    }

    func log(level: RingTrueFFI.LogLevel, target: String, message: String) throws {
        try orFailed { try sink.log(level: LogLevel(level), target: target, message: message) }
    }
}

extension LogLevel {
    fileprivate init(_ ffi: RingTrueFFI.LogLevel) {
        self =
            switch ffi {
            case .debug: .debug
            case .error: .error
            case .info: .info
            case .warn: .warn
            }
    }

    fileprivate var ffi: RingTrueFFI.LogLevel {
        switch self {
        case .debug: .debug
        case .error: .error
        case .info: .info
        case .warn: .warn
        }
    }
}
