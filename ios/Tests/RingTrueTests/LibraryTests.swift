// A native library of another version than the package: every way in says so, and the process goes on.

import Foundation
import RingTrue
import Testing

@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["RINGTRUE_WRONG_LIBRARY"] != nil,
        "only with a library that does not fit: `cargo xtask test --swift` runs it with some"
    )
)
struct LibraryTests {
    private struct Sink: LogSink {
        func log(level: LogLevel, target: String, message: String) {}
    }

    @Test func everyWayInSaysThatTheLibraryIsAnother() async {
        let config = EndpointConfig(numbers: [], services: [], anchorsPem: [])
        let waysIn: [() async throws(RingTrueError) -> Void] = [
            { () async throws(RingTrueError) in _ = try await Endpoint.open(config) },
            { () async throws(RingTrueError) in _ = try SoftwareSigner(pkcs8Pem: "") },
            { () async throws(RingTrueError) in _ = try SoftwareKeyAgreement(pkcs8Pem: "") },
            { () async throws(RingTrueError) in _ = try MediaKeys(sdp: "") },
            { () async throws(RingTrueError) in try setLogSink(Sink()) },
        ]
        for way in waysIn {
            for _ in 0..<2 { await expectError(.misuse, 9101, "library_mismatch", way) }
        }
        #expect(Reason.Code.libraryMismatch.rawValue == 9101)
        #expect(Verdict.verified.isGood)
    }
}
