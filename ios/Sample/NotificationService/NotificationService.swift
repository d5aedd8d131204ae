// The sample's notification service extension. `SharedEndpoint.swift` belongs to this target too.

import RingTrue
import RingTrueNotification

final class NotificationService: AnnouncementService {
    override func openEndpoint() async throws -> Endpoint {
        try await SharedEndpoint.open()
    }
}
