package io.ringtrue.sdk

import io.ringtrue.CoverCounts as GeneratedCounts
import io.ringtrue.CoverPolicy as GeneratedPolicy
import io.ringtrue.CoverProfile as GeneratedProfile
import io.ringtrue.CoverTraffic as GeneratedTraffic
import io.ringtrue.Power as GeneratedPower
import kotlin.time.Duration

/** How much cover traffic a client begins with. */
public enum class CoverProfile {
    /**
     * For an installation that places many calls: in addition one cover store for every four real ones, at
     * most 10 000 a day, whatever the power.
     */
    ENTERPRISE,

    /**
     * For a handset: a store every 6 hours and polls every 4 hours on average, only while power is
     * plentiful, at most 20 stores a day.
     */
    HANDSET,
}

/** How the device is powered and connected, as far as cover traffic minds. */
public enum class Power {
    /** Mains or the like, and a connection that is not charged by volume. */
    PLENTY,

    /** A battery, or a metered connection. */
    SCARCE,
}

/** How much cover traffic is sent. Whatever is left out is as the profile has it. */
public data class CoverPolicy(
    /** What is changed by the other members. */
    public val profile: CoverProfile = CoverProfile.HANDSET,
    /** The mean time between two cover stores; zero: none. */
    public val storeInterval: Duration? = null,
    /** The mean time between two rounds of cover polls; zero: none. */
    public val pollInterval: Duration? = null,
    /** One cover store more for so many real ones, some minutes later; zero: none. */
    public val realPerCover: Int? = null,
    /** Whether nothing is sent while power is scarce. */
    public val onlyOnPower: Boolean? = null,
    /** The most cover stores in 24 hours: the budget, in tokens at the ordinary price. */
    public val storesPerDay: Int? = null,
) {
    internal fun toGenerated(): GeneratedPolicy = GeneratedPolicy(
        profile = when (profile) {
            CoverProfile.ENTERPRISE -> GeneratedProfile.ENTERPRISE
            CoverProfile.HANDSET -> GeneratedProfile.HANDSET
        },
        storeIntervalMs = storeInterval?.toMs(),
        pollIntervalMs = pollInterval?.toMs(),
        realPerCover = realPerCover?.coerceAtLeast(0)?.toUInt(),
        onlyOnPower = onlyOnPower,
        storesPerDay = storesPerDay?.coerceAtLeast(0)?.toUInt(),
    )
}

/** What cover traffic came to since it began. */
public data class CoverCounts(
    /** Stores that went out. */
    public val stores: Long,
    /** Rounds of polls that went out. */
    public val polls: Long,
    /** What was due and left out, or failed. */
    public val skipped: Long,
    /** Why something was left out last. */
    public val lastReason: Reason?,
)

/**
 * Cover traffic in the background, until it is closed or the client is. Keep it: if it is let go, the traffic
 * ends with it.
 */
public class CoverTraffic internal constructor(
    private val generated: GeneratedTraffic,
    power: Power,
) : AutoCloseable {
    /** How the device is powered and connected: say so whenever it changes. */
    @Volatile
    public var power: Power = power
        set(value) {
            field = value
            unlessClosed { generated.setPower(value.toGenerated()) }
        }

    /** What it came to so far; the last that is known after it was closed. */
    public val counts: CoverCounts
        get() {
            unlessClosed { generated.counts() }?.let { last = it.toSdk() }
            return last
        }

    @Volatile
    private var last = CoverCounts(0, 0, 0, null)

    /** Stops it at once, also what is under way. Repeating it does nothing. */
    override fun close() {
        counts
        unlessClosed { generated.stop() }
        generated.close()
    }

    override fun toString(): String = "CoverTraffic(${power.name.lowercase()})"
}

internal fun Power.toGenerated(): GeneratedPower = when (this) {
    Power.PLENTY -> GeneratedPower.PLENTY
    Power.SCARCE -> GeneratedPower.SCARCE
}

private fun GeneratedCounts.toSdk(): CoverCounts =
    CoverCounts(stores.signed(), polls.signed(), skipped.signed(), lastReason?.toSdk())
