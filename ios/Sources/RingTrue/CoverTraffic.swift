// Cover traffic: stores and polls that mean nothing.

internal import RingTrueFFI

/// How much cover traffic is sent. Whatever is left out is as the profile has it.
public struct CoverPolicy: Sendable, Hashable {
    /// How much cover traffic an endpoint begins with.
    public enum Profile: String, Sendable, CaseIterable {
        /// For an installation that places many calls: in addition one cover store for every four real ones, at most
        /// 10 000 a day, whatever the power.
        case enterprise
        /// For a handset: a store every 6 hours and polls every 4 hours on average, only while power is plentiful, at most
        /// 20 stores a day.
        case handset
    }

    /// What is changed by the other members.
    public var profile: Profile
    /// The mean time between two cover stores; zero: none.
    public var storeInterval: Duration?
    /// The mean time between two rounds of cover polls; zero: none.
    public var pollInterval: Duration?
    /// One cover store more for so many real ones, some minutes later; zero: none.
    public var realPerCover: Int?
    /// Whether nothing is sent while power is scarce.
    public var onlyOnPower: Bool?
    /// The most cover stores in 24 hours: the budget, in tokens at the ordinary price.
    public var storesPerDay: Int?

    /// As the profile has it; set what shall differ.
    public init(profile: Profile = .handset) {
        self.profile = profile
    }

    var ffi: RingTrueFFI.CoverPolicy {
        .init(
            profile: profile.ffi,
            storeIntervalMs: storeInterval?.wholeMilliseconds,
            pollIntervalMs: pollInterval?.wholeMilliseconds,
            realPerCover: realPerCover.map(UInt32.init(clamping:)),
            onlyOnPower: onlyOnPower,
            storesPerDay: storesPerDay.map(UInt32.init(clamping:))
        )
    }
}

/// How the device is powered and connected, as far as cover traffic minds.
public enum Power: String, Sendable, CaseIterable {
    /// Mains or the like, and a connection that is not charged by volume.
    case plenty
    /// A battery, or a metered connection.
    case scarce
}

/// What cover traffic came to since it began.
public struct CoverCounts: Sendable, Hashable {
    /// Stores that went out.
    public let stores: UInt64
    /// Rounds of polls that went out.
    public let polls: UInt64
    /// What was due and left out, or failed.
    public let skipped: UInt64
    /// Why something was left out last.
    public let lastReason: Reason?

    init(_ ffi: RingTrueFFI.CoverCounts) {
        stores = ffi.stores
        polls = ffi.polls
        skipped = ffi.skipped
        lastReason = ffi.lastReason.map(Reason.init)
    }
}

/// Cover traffic in the background, until it is stopped, this object goes or the endpoint ends.
public final class CoverTraffic: Sendable {
    private let ffi: RingTrueFFI.CoverTraffic

    init(_ ffi: RingTrueFFI.CoverTraffic) {
        self.ffi = ffi
    }

    /// What it came to so far; nothing once it was stopped.
    public var counts: CoverCounts? { ffi.counts().map(CoverCounts.init) }

    /// The device is powered and connected otherwise from now on.
    public func setPower(_ power: Power) {
        ffi.setPower(power: power.ffi)
    }

    /// Stops it at once, also what is under way. Repeating it does nothing.
    public func stop() {
        ffi.stop()
    }
}

extension Endpoint {
    /// Sends stores and polls that mean nothing, at random times, so that real ones cannot be told by their being there. Begin
    /// it once, at start, and keep what is returned: its end is the end of the traffic. `power` is how the device is powered
    /// and connected now.
    ///
    /// Stores go to numbers whose keys are in memory, because they were called or looked up. While iOS suspends the
    /// application nothing is sent.
    ///
    /// - Throws: `configuration_invalid` for a policy out of range; `randomness_unavailable`.
    public nonisolated func coverTraffic(
        power: Power,
        policy: CoverPolicy = CoverPolicy()
    ) throws(RingTrueError) -> CoverTraffic {
        do {
            return CoverTraffic(try ffi.coverTraffic(power: power.ffi, policy: policy.ffi))
        } catch {
            throw RingTrueError(error)
        }
    }
}

extension CoverPolicy.Profile {
    fileprivate var ffi: RingTrueFFI.CoverProfile {
        switch self {
        case .enterprise: .enterprise
        case .handset: .handset
        }
    }
}

extension Power {
    fileprivate var ffi: RingTrueFFI.Power {
        switch self {
        case .plenty: .plenty
        case .scarce: .scarce
        }
    }
}
