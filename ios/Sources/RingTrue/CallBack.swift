// When somebody may be called back.

internal import RingTrueFFI

extension Endpoint {
    /// For services that call people back: the holder of `number` has just shown that it has control of it, by a call from it
    /// with a good verdict or by a code that was sent to it. Good for one call-back within ten minutes.
    ///
    /// - Throws: `malformed_number`.
    public nonisolated func proveControl(of number: String) throws(RingTrueError) {
        do { try ffi.proveControl(number: number) } catch { throw RingTrueError(error) }
    }

    /// How long to wait before calling `number` back: 5 to 65 s, which nobody can know ahead. Whoever could choose the moment
    /// would know when a genuine announcement is pending.
    ///
    /// - Throws: `callback_not_proved` unless control of the number was proved and not used since; `malformed_number`;
    ///   `randomness_unavailable`.
    public nonisolated func callBackAfter(_ number: String) throws(RingTrueError) -> Duration {
        do {
            return .milliseconds(Int64(clamping: try ffi.callBackAfterMs(number: number)))
        } catch {
            throw RingTrueError(error)
        }
    }
}
