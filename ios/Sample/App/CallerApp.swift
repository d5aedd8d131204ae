// The sample application: announces calls before they are dialled, and says what it knows of a number.

import RingTrue
import SwiftUI

@main
struct CallerApp: App {
    @StateObject private var telephone = Telephone()

    var body: some Scene {
        WindowGroup {
            CallView(telephone: telephone)
                .task { await telephone.start() }
        }
    }
}
