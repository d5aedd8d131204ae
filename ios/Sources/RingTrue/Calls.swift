// Calls that ring and calls that are made.

internal import RingTrueFFI

/// A call that rings, with the verdict on it.
///
/// Keep it for as long as the call lasts: what the caller reports, and another call from the same number,
/// change the verdict until then. Letting it go is the end of the call. It ends with its endpoint.
public final class RingingCall: Sendable {
    let ffi: RingTrueFFI.RingingCall

    init(_ ffi: RingTrueFFI.RingingCall) {
        self.ffi = ffi
    }

    /// The verdict as of now.
    public var verdict: CallVerdict { CallVerdict(ffi.verdict()) }

    /// The verdicts from now on: one each time the verdict, or a reason for it, changes. Ends when it no longer
    /// can, some seconds after `ended` or after four minutes, and when the task that waits is cancelled. For one
    /// reader at a time: several share the changes between them.
    public var changes: AsyncStream<CallVerdict> {
        let cancellation = Cancellation()
        return AsyncStream(
            unfolding: { [ffi] in await ffi.changed(cancellation: cancellation).map(CallVerdict.init) },
            onCancel: { cancellation.cancel() }
        )
    }

    /// The person picks up: call it at that moment, whatever the verdict. `Endpoint.answer` with the phase
    /// `answered` includes it.
    public func answered() {
        ffi.answered()
    }

    /// For a call whose media travel over IP: the media keys of both sides as they were negotiated. The other side's are
    /// compared with those that it announced: `confirmed` if they are the same, else `conflicting`. The own ones are shown
    /// to the caller with the next answer.
    ///
    /// - Throws: `malformed_mky`.
    public func media(own: MediaKeys, other: MediaKeys) throws(RingTrueError) {
        do { try ffi.media(own: own.ffi, other: other.ffi) } catch { throw RingTrueError(error) }
    }

    /// The call ended, answered or not: a call that comes now is not mistaken for it.
    public func ended() {
        ffi.ended()
    }
}

/// A call of one's own: what the called side shows of itself, and what it is told of the call.
///
/// Keep it for as long as the call lasts, and say what becomes of the call: the called side relies on it to tell
/// this call from one that only pretends to be it. Letting it go without `ended` reports nothing. It ends with
/// its endpoint.
public final class OutgoingCall: Sendable {
    private let ffi: RingTrueFFI.OutgoingCall

    init(_ ffi: RingTrueFFI.OutgoingCall) {
        self.ffi = ffi
    }

    /// What the called side has shown as of now.
    public var outcome: AnswerOutcome { AnswerOutcome(ffi.outcome()) }

    /// The outcomes from now on. Ends when the outcome can no longer change, some seconds after `ended`, and when
    /// the task that waits is cancelled. For one reader at a time.
    public var changes: AsyncStream<AnswerOutcome> {
        let cancellation = Cancellation()
        return AsyncStream(
            unfolding: { [ffi] in await ffi.changed(cancellation: cancellation).map(AnswerOutcome.init) },
            onCancel: { cancellation.cancel() }
        )
    }

    /// The called side answered: call it at that moment, and once. The called side is told, and `confirmed` follows
    /// when it says the same within 2 s.
    public func answered() {
        ffi.answered()
    }

    /// For a call whose media travel over IP: the other side's media keys as they were negotiated. Compared with those that
    /// its answer names.
    ///
    /// - Throws: `malformed_mky`.
    public func media(_ other: MediaKeys) throws(RingTrueError) {
        do { try ffi.media(other: other.ffi) } catch { throw RingTrueError(error) }
    }

    /// The call ended: answered and over, busy, rejected, given up. If it was not answered, the called side is told
    /// that there is no call any more that its announcement could speak for.
    public func ended() {
        ffi.ended()
    }
}
