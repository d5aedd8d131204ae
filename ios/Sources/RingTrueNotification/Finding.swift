// What checking an announcement came to, and how it is told.

public import Foundation
import RingTrue

/// What checking an announcement came to. Its text shows no number.
public enum Finding: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// An announcement of a call from this number passed every check at this time.
    case verified(from: String, checked: Date)
    /// Somebody announced a call, and it is not known who: not the one whom the push named.
    case unnamed(checked: Date)
    /// The announcement was checked before: the push came twice.
    case repeated
    /// An announcement in this number's name did not pass the checks.
    case refused
    /// Nothing was found that names the call.
    case nothing
    /// The push came so late that the announcement can no longer be judged.
    case late
    /// It could not be checked now: no network, no clock, no time left, no key.
    case unchecked
    /// The push is not one of ours.
    case unreadable

    /// The name of the case.
    public var description: String {
        switch self {
        case .verified: "verified"
        case .unnamed: "unnamed"
        case .repeated: "repeated"
        case .refused: "refused"
        case .nothing: "nothing"
        case .late: "late"
        case .unchecked: "unchecked"
        case .unreadable: "unreadable"
        }
    }

    public var debugDescription: String { description }
}

extension Finding {
    /// What a verdict on an announced call comes to.
    init(_ verdict: CallVerdict, checked: Date) {
        let replayed = verdict.reasons.contains { $0.code == .replayed }
        switch verdict.verdict {
        case .verified, .confirmed:
            // A good verdict always has the number that was asked about.
            self = verdict.orig.map { .verified(from: $0, checked: checked) } ?? .unnamed(checked: checked)
        case .refused:
            self = replayed ? .repeated : .refused
        case .conflicting:
            self = .refused
        case .noRecord:
            self = verdict.blobs.opened > 0 ? .unnamed(checked: checked) : .nothing
        case .clockUnset, .unavailable:
            self = .unchecked
        }
    }
}

/// How a finding is told to the person.
///
/// The rule for every wording, in every language: a notification beside a ringing call says that a call was announced, by whom and when.
/// It never says that the call which rings is that call: an application on iOS cannot see the ringing call, and somebody else may call at the same moment.
public protocol AnnouncementWording: Sendable {
    /// The text of the notification.
    func text(for finding: Finding) -> AnnouncementText
}

/// The text of a notification. Its description shows nothing of it.
public struct AnnouncementText: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The title.
    public var title: String
    /// The text below it.
    public var body: String

    /// A text.
    public init(title: String, body: String) {
        self.title = title
        self.body = body
    }

    public var description: String { "AnnouncementText(..)" }
    public var debugDescription: String { description }
}

/// The wording in English.
public struct EnglishWording: AnnouncementWording {
    private let name: @Sendable (String) -> String?
    private let timeZone: TimeZone

    /// `name` gives the name under which the person knows a number (canonical, without `+`), from the address book of the
    /// application; never from the push. `timeZone` is the one in which times are shown.
    public init(
        timeZone: TimeZone = .current,
        name: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.timeZone = timeZone
        self.name = name
    }

    public func text(for finding: Finding) -> AnnouncementText {
        switch finding {
        case .verified(let number, let checked):
            let caller = name(number).map { "\($0) (+\(number))" } ?? "+\(number)"
            return AnnouncementText(
                title: "Call announced by \(caller)",
                body: "Checked at \(time(checked)). If another call rings now, this does not speak for it."
            )
        case .unnamed(let checked):
            return AnnouncementText(
                title: "A call was announced",
                body: "Who announced it is not known. Looked at \(time(checked))."
            )
        case .repeated:
            return AnnouncementText(title: "A call was announced", body: "It was shown before.")
        case .refused:
            return AnnouncementText(
                title: "Caller not verified",
                body: "An announcement did not pass the checks. Do not rely on the number that is shown."
            )
        case .nothing:
            return AnnouncementText(title: "Caller not verified", body: "No announcement of a call was found.")
        case .late:
            return AnnouncementText(
                title: "A call may have been announced",
                body: "The message came too late to check who it was."
            )
        case .unchecked:
            return AnnouncementText(
                title: "A call may have been announced",
                body: "Who it is could not be checked."
            )
        case .unreadable:
            return AnnouncementText(title: "Caller not verified", body: "The message could not be read.")
        }
    }

    private func time(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let parts = calendar.dateComponents([.hour, .minute], from: date)
        let (hour, minute) = (parts.hour ?? 0, parts.minute ?? 0)
        return (hour < 10 ? "0" : "") + "\(hour):" + (minute < 10 ? "0" : "") + "\(minute)"
    }
}
