// What the package uses of Apple's UserNotifications, by hand from its documentation, so that it can be type-checked elsewhere.

public import Foundation

open class UNNotificationContent: NSObject {
    open var body: String { fatalError() }
    open var subtitle: String { fatalError() }
    open var title: String { fatalError() }
    open var userInfo: [AnyHashable: Any] { fatalError() }
}

open class UNMutableNotificationContent: UNNotificationContent {
    open override var body: String {
        get { fatalError() }
        set { fatalError() }
    }
    open override var subtitle: String {
        get { fatalError() }
        set { fatalError() }
    }
    open override var title: String {
        get { fatalError() }
        set { fatalError() }
    }
    open override var userInfo: [AnyHashable: Any] {
        get { fatalError() }
        set { fatalError() }
    }
}

open class UNNotificationRequest: NSObject {
    open var content: UNNotificationContent { fatalError() }
}

open class UNNotificationServiceExtension {
    public init() {}

    open func didReceive(
        _ request: UNNotificationRequest,
        withContentHandler contentHandler: @escaping (UNNotificationContent) -> Void
    ) { fatalError() }
    open func serviceExtensionTimeWillExpire() { fatalError() }
}
