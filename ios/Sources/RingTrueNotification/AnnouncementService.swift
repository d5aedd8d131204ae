// The notification service extension's base class. Apple's systems only.

#if canImport(UserNotifications)
internal import Foundation
public import RingTrue
public import UserNotifications

/// Base class of a notification service extension: checks the announcement that a push tells of, and replaces the push's own
/// text, which nobody vouches for, by what was found.
///
/// A subclass says how its endpoint is opened; it may supply a wording of its own language.
open class AnnouncementService: UNNotificationServiceExtension {
    // The system hands over one push per object, and calls the two methods below one after the other.
    private var delivery: AnnouncementDelivery?

    /// Opens the endpoint with the state file and keys of the application group. To be overridden.
    open func openEndpoint() async throws -> Endpoint {
        throw CancellationError()
    }

    /// The announcement that a push tells of. To be overridden where the application's server seals what it sends.
    open func announcement(in userInfo: [AnyHashable: Any]) throws -> Announcement {
        try Announcement(userInfo: userInfo)
    }

    /// How findings are told.
    open var wording: any AnnouncementWording { EnglishWording() }

    open override func didReceive(
        _ request: UNNotificationRequest,
        withContentHandler contentHandler: @escaping (UNNotificationContent) -> Void
    ) {
        let received = Handed(request.content.mutableCopy() as? UNMutableNotificationContent)
        let handler = Handed(contentHandler)
        let delivery = AnnouncementDelivery(wording: wording) { text in
            let content = received.value ?? UNMutableNotificationContent()
            content.title = text.title
            content.subtitle = ""
            content.body = text.body
            handler.value(content)
        }
        self.delivery = delivery
        guard let announcement = try? announcement(in: request.content.userInfo) else {
            delivery.begin { .unreadable }
            return
        }
        let service = Handed(self)
        let check = AnnouncementCheck { try await service.value.openEndpoint() }
        delivery.begin { await check.check(announcement) }
    }

    open override func serviceExtensionTimeWillExpire() {
        delivery?.expire()
    }
}

/// Hands over what the system's headers do not mark as sendable, to the one place that uses it.
private struct Handed<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
#endif
