// Checks what a push tells of: fetch, verify, and no more said than is known.

public import Foundation
public import RingTrue

/// Checks announcements of calls that pushes tell of.
///
/// The part of the notification extension that needs nothing of the system, so that it runs and is tested wherever Swift does.
/// `AnnouncementService` puts it into an extension.
public struct AnnouncementCheck: Sendable {
    /// How old an announcement may be to be looked for at all: what the default policy accepts as fresh.
    public static let maxAge: Duration = .seconds(60)
    /// How long a check takes at most. The system gives an extension some 30 s.
    public static let timeLimit: Duration = .seconds(20)

    private let open: @Sendable () async throws -> Endpoint
    private let now: @Sendable () -> Date

    /// `open` opens the endpoint, with the state file and keys that the application shares with its extension. `now` is the time.
    public init(
        now: @escaping @Sendable () -> Date = { Date() },
        open: @escaping @Sendable () async throws -> Endpoint
    ) {
        self.now = now
        self.open = open
    }

    /// Checks the announcement in a payload as it came from the push service.
    public func check(payload: Data) async -> Finding {
        guard let announcement = try? Announcement(payload: payload) else { return .unreadable }
        return await check(announcement)
    }

    /// Checks an announcement. Cancelling the task, or the end of `within`, gives `unchecked`. Never throws: whatever goes
    /// wrong is a finding that claims nothing.
    public func check(_ announcement: Announcement, within: Duration = Self.timeLimit) async -> Finding {
        let age = now().timeIntervalSince(announcement.announced)
        // A push from the future is as little worth as an old one; some clocks are a little off.
        let limit = TimeInterval(Self.maxAge.components.seconds)
        guard age <= limit, age >= -limit else { return .late }
        // Announcements are verified for a calling number. Without one there is nothing to ask for: who announced a call is
        // never taken from the announcement itself.
        guard let from = announcement.from else { return .unchecked }
        return await first(within: within) {
            guard let endpoint = try? await self.open() else { return .unchecked }
            let finding = await Self.verdict(from, announcement.to, endpoint: endpoint, within: within, now: self.now)
            await endpoint.shutDown()
            return finding
        }
    }

    private static func verdict(
        _ from: String,
        _ to: String?,
        endpoint: Endpoint,
        within: Duration,
        now: @Sendable () -> Date
    ) async -> Finding {
        guard
            let call = try? await endpoint.ring(
                from: from,
                to: to,
                deadline: within
            )
        else { return .unchecked }
        let verdict = call.verdict
        // Nothing rings here: a later push about the same number is no second call at the same time.
        call.ended()
        return Finding(verdict, checked: now())
    }

    /// What `work` gives, or `unchecked` when the time is up or the task is cancelled. What is still under way then is cancelled
    /// and not waited for: a key store that hangs must not keep the notification.
    private func first(
        within: Duration,
        _ work: @escaping @Sendable () async -> Finding
    ) async -> Finding {
        let findings = AsyncStream<Finding> { continuation in
            let task = Task {
                continuation.yield(await work())
                continuation.finish()
            }
            let timer = Task {
                try? await Task.sleep(for: within)
                continuation.finish()
            }
            continuation.onTermination = { _ in
                task.cancel()
                timer.cancel()
            }
        }
        for await finding in findings { return finding }
        return .unchecked
    }
}
