// The state of the sample: the endpoint, and the call that is under way.

import RingTrue
import SwiftUI

@MainActor
final class Telephone: ObservableObject {
    @Published private(set) var status = "Starting"
    @Published private(set) var isReady = false
    private var endpoint: Endpoint?
    private var call: CallAnnouncer.Call?
    private var following: Task<Void, Never>?

    /// Opens the endpoint and publishes its keys, so that others can announce calls to it.
    func start() async {
        guard endpoint == nil else { return }
        do {
            let endpoint = try await SharedEndpoint.open()
            self.endpoint = endpoint
            isReady = true
            switch endpoint.credentialStatus.state {
            case .valid, .expiring:
                try await endpoint.publishKeys()
                status = "Ready"
            default:
                status = "Without certificate: calls are dialled unannounced"
            }
        } catch let error as RingTrueError {
            status = "Not ready: \(error)"
        } catch {
            status = "Not ready"
        }
    }

    /// Announces a call and dials it.
    func dial(_ callee: String, open: @escaping @MainActor @Sendable (URL) async -> Bool) async {
        guard let endpoint else { return }
        hangUp()
        status = "Announcing"
        do {
            let number = try endpoint.readNumber(SharedEndpoint.number)
            let made = try await CallAnnouncer(endpoint: endpoint).call(callee, from: number) { await open($0) }
            guard let made else {
                status = "Not dialled"
                return
            }
            call = made
            status = made.placed.placement == .stored ? "Announced and dialled" : "Dialled unannounced"
            following = Task { [weak self] in
                for await outcome in made.outgoing.changes where outcome.verdict.verdict.isGood {
                    self?.status = "The called side has shown who it is"
                }
            }
        } catch {
            status = "Not dialled: \(error)"
        }
    }

    /// The call has ended: the called side is told if it was not answered. An application that dials through the system's
    /// interface for dialling applications learns it there, one that opens a `tel:` URL from `CXCallObserver`.
    func hangUp() {
        call?.outgoing.ended()
        call = nil
        following?.cancel()
        following = nil
    }
}
