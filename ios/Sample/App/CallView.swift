// The one screen of the sample.

import RingTrue
import SwiftUI

struct CallView: View {
    @ObservedObject var telephone: Telephone
    @State private var callee = ""

    var body: some View {
        Form {
            Section("Call") {
                TextField("Number", text: $callee)
                    .keyboardType(.phonePad)
                Button("Announce and dial") {
                    Task {
                        await telephone.dial(callee) { url in await UIApplication.shared.open(url) }
                    }
                }
                .disabled(!telephone.isReady || callee.isEmpty)
                Button("The call has ended") { telephone.hangUp() }
            }
            Section("State") {
                Text(telephone.status)
            }
            Section {
                Text("Incoming calls of the telephone network cannot be marked on the call screen. A notification tells of calls that were announced.")
                    .font(.footnote)
            }
        }
    }
}
