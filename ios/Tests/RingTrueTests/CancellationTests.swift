// Cancelled tasks, deadlines, the end of an endpoint.

import Foundation
import RingTrue
import Testing

/// A transport that notes that it was asked, and knows no service.
private struct NotingTransport: Transport {
    let asked = Counter()

    func execute(role: Role, request: HttpRequest, maxAnswerOctets: Int, timeLeft: Duration) throws -> HttpResponse {
        asked.next()
        throw TransportError.unreachable
    }
}

@Suite struct CancellationTests {
    private let lab = Lab.shared

    /// An endpoint whose service never answers.
    private func endpoint(at silence: Silence) async throws -> (Endpoint, String) {
        let number = lab.number()
        var config = try lab.config(number)
        config.services = [silence.baseUrl]
        return (try await Endpoint.open(config, signer: try lab.signer(number)), number)
    }

    @Test func cancellingATaskStopsTheWorkAndTheNextCallWorks() async throws {
        let silence = try Silence()
        let (endpoint, number) = try await endpoint(at: silence)
        let dest = lab.number()
        let task = Task { () async -> RingTrueError? in
            do throws(RingTrueError) {
                _ = try await endpoint.place(from: number, to: dest, deadline: .seconds(600))
                return nil
            } catch {
                return error
            }
        }
        await silence.connected.wait()
        task.cancel()
        let error = await task.value
        #expect(error?.code == .cancelled)
        #expect(error?.kind == .unavailable)
        // The connection is gone, so the work is.
        await silence.ended.wait()
        let placed = try await endpoint.place(from: number, to: dest, deadline: .milliseconds(300))
        #expect(placed.placement == .unprotected)
        await endpoint.shutDown()
    }

    @Test func whatIsCancelledBeforeItBeginsAsksNobody() async throws {
        let number = lab.number()
        let transport = NotingTransport()
        let endpoint = try await Endpoint.open(
            try lab.config(number), signer: try lab.signer(number), transport: transport)
        let dest = lab.number()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await expectError(.unavailable, 5019, "cancelled") { () async throws(RingTrueError) in
                _ = try await endpoint.place(from: number, to: dest)
            }
            await expectError(.unavailable, 5019, "cancelled") { () async throws(RingTrueError) in
                _ = try await endpoint.ring(from: dest)
            }
            await expectError(.unavailable, 5019, "cancelled") { () async throws(RingTrueError) in
                _ = try await endpoint.publishKeys()
            }
        }
        await task.value
        #expect(transport.asked.current == 0)
        await endpoint.shutDown()
    }

    @Test func aCancelledTaskDoesNotWaitForAKeyThatHangsWhileItOpens() async throws {
        let number = lab.number()
        let signer = WaitingSigner(try lab.signer(number), forPublicKey: true)
        let config = try lab.config(number)
        let task = Task { () async -> Reason.Code? in
            do throws(RingTrueError) {
                _ = try await Endpoint.open(config, signer: signer)
                return nil
            } catch {
                return error.code
            }
        }
        await signer.asked.wait()
        task.cancel()
        #expect(await task.value == .cancelled)
        signer.release.happen()
    }

    @Test func aCancelledReaderOfChangesEndsAndTheCallGoesOn() async throws {
        let number = lab.number()
        let endpoint = try await Endpoint.open(
            try lab.config(number), signer: try lab.signer(number), transport: NotingTransport())
        let call = try await endpoint.ring(from: lab.number(), deadline: .milliseconds(100))
        let task = Task { for await _ in call.changes {} }
        task.cancel()
        await task.value
        #expect(!call.verdict.verdict.isGood)
        call.ended()
        await endpoint.shutDown()
    }

    @Test func aDeadlineHoldsWhateverTheServiceDoes() async throws {
        let silence = try Silence()
        let (endpoint, number) = try await endpoint(at: silence)
        let placed = try await endpoint.place(from: number, to: lab.number(), deadline: .milliseconds(300))
        #expect(placed.placement == .unprotected)
        #expect(names(placed.reasons).first == "deadline_passed")
        let call = try await endpoint.ring(from: lab.number(), deadline: .milliseconds(300))
        #expect(call.verdict.verdict == .unavailable)
        await expectError(.unavailable, 5001, "deadline_passed") { () async throws(RingTrueError) in
            _ = try await endpoint.publishKeys(deadline: .milliseconds(300))
        }
        await endpoint.shutDown()
    }

    @Test func aServiceThatHangsUpIsNamed() async throws {
        let service = try Silence(hangsUp: true)
        let (endpoint, number) = try await endpoint(at: service)
        do {
            try await endpoint.publishKeys()
            Issue.record("published to a service that hangs up")
        } catch {
            #expect(error.kind == .unavailable)
            #expect(["service_unreachable", "tls_failed"].contains(error.name), "\(error)")
        }
        let placed = try await endpoint.place(from: number, to: lab.number())
        #expect(placed.placement == .unprotected)
        #expect(!placed.reasons.isEmpty)
        let call = try await endpoint.ring(from: lab.number(), deadline: .seconds(1))
        #expect(call.verdict.verdict == .unavailable)
        #expect(!call.verdict.reasons.isEmpty)
        await endpoint.shutDown()
    }

    @Test(arguments: [Duration.zero, .seconds(-1), .nanoseconds(1)])
    func aDeadlineThatHasPassedIsOneAndNotNone(_ deadline: Duration) async throws {
        let silence = try Silence()
        let (endpoint, number) = try await endpoint(at: silence)
        let placed = try await endpoint.place(from: number, to: lab.number(), deadline: deadline)
        #expect(placed.placement == .unprotected)
        let call = try await endpoint.ring(from: lab.number(), deadline: deadline)
        #expect(call.verdict.verdict == .unavailable)
        await endpoint.shutDown()
    }

    @Test func shuttingDownEndsWhatRunsAndWhatComesLater() async throws {
        let silence = try Silence()
        let (endpoint, _) = try await endpoint(at: silence)
        let task = Task {
            await expectError(.unavailable, 5019, "cancelled") { () async throws(RingTrueError) in
                _ = try await endpoint.publishKeys(deadline: .seconds(600))
            }
        }
        await silence.connected.wait()
        await endpoint.shutDown()
        await task.value
        await silence.ended.wait()
        await expectError(.unavailable, 5019, "cancelled") { () async throws(RingTrueError) in
            _ = try await endpoint.rotateKeys()
        }
        await endpoint.shutDown()
    }
}
