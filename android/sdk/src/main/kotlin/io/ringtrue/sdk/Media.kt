package io.ringtrue.sdk

import io.ringtrue.Fingerprint as GeneratedFingerprint
import io.ringtrue.MediaKeys as GeneratedKeys
import io.ringtrue.mediaKeysFromSdp

/** A media key's fingerprint. Its text shows nothing of it. */
public class Fingerprint(
    /** The name of the hash function as in SDP: `sha-256`. */
    public val algorithm: String,
    /** The digest. */
    public val digest: ByteArray,
) {
    override fun equals(other: Any?): Boolean =
        other is Fingerprint && algorithm == other.algorithm && digest.contentEquals(other.digest)

    override fun hashCode(): Int = 31 * algorithm.hashCode() + digest.contentHashCode()

    override fun toString(): String = "Fingerprint(..)"
}

/**
 * The fingerprints of all media keys of one side of a session, 1 to 64: for calls whose media travel over
 * IP. Its text shows how many.
 */
public data class MediaKeys(
    /** The fingerprints, in any order. */
    public val fingerprints: List<Fingerprint>,
) {
    override fun toString(): String = "MediaKeys(${fingerprints.size})"

    internal fun toGenerated(): GeneratedKeys =
        GeneratedKeys(fingerprints.map { GeneratedFingerprint(it.algorithm, it.digest) })

    public companion object {
        /**
         * Collects every `a=fingerprint:` line of a session description; nothing if it has none. Loads the
         * native library.
         *
         * @throws RingTrueException `malformed_mky` for a line in another form, or more than 64 of them.
         */
        public fun fromSdp(sdp: String): MediaKeys? = translated { mediaKeysFromSdp(sdp) }?.let { keys ->
            MediaKeys(keys.fingerprints.map { Fingerprint(it.algorithm, it.digest) })
        }
    }
}
