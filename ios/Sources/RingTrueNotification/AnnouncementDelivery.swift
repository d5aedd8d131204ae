// One push: checked in the background, shown exactly once.

import Foundation

/// Shows the outcome of one push exactly once: the finding, or what is said when the system wants no more of it.
///
/// The system calls an extension on several threads, and says that its time is up while a check is still under way.
public final class AnnouncementDelivery: Sendable {
    private let show: @Sendable (AnnouncementText) -> Void
    private let wording: any AnnouncementWording
    private let state = State()

    /// `show` shows a text; it is called once.
    public init(
        wording: any AnnouncementWording,
        show: @escaping @Sendable (AnnouncementText) -> Void
    ) {
        self.wording = wording
        self.show = show
    }

    /// Begins to check, once; what comes of it is shown.
    public func begin(_ check: @escaping @Sendable () async -> Finding) {
        let task = Task { self.deliver(await check()) }
        if !state.hold(task) { task.cancel() }
    }

    /// The system's time is up, or the application has no more use for it: stops the check and shows that it could not be made,
    /// unless something was shown before.
    public func expire() {
        deliver(.unchecked)
    }

    private func deliver(_ finding: Finding) {
        guard state.end() else { return }
        show(wording.text(for: finding))
    }
}

/// Whether something was shown, and the check that is under way.
private final class State: @unchecked Sendable {
    // Both members are read and written with the lock held.
    private let lock = NSLock()
    private var ended = false
    private var task: Task<Void, Never>?

    /// Keeps a task to cancel at the end; false if the end, or another task, came before.
    func hold(_ new: Task<Void, Never>) -> Bool {
        lock.withLock {
            guard !ended, task == nil else { return false }
            task = new
            return true
        }
    }

    /// Ends once; false if it has ended before.
    func end() -> Bool {
        let (first, running) = lock.withLock {
            defer {
                ended = true
                task = nil
            }
            return (!ended, task)
        }
        running?.cancel()
        return first
    }
}
