package io.ringtrue.sdk

import io.ringtrue.Policy as GeneratedPolicy
import io.ringtrue.Profile as GeneratedProfile
import io.ringtrue.Suite as GeneratedSuite
import java.time.Instant
import kotlin.time.Duration

/** The rules for certificates. */
public enum class Profile {
    /** Certificates of endpoints: every issuer below the anchor must state its scope. */
    DELEGATE,

    /** Service-provider certificates as they are in use. */
    SHAKEN,

    /** RFC 8226 and RFC 9060 as they stand. */
    STIR,
}

/** The suites of sealed PASSporTs. */
public enum class Suite {
    /** P-256, HKDF-SHA256, AES-128-GCM. For keys in hardware. */
    S1,

    /** X25519, HKDF-SHA256, ChaCha20-Poly1305. */
    S2,

    /** X-Wing (ML-KEM-768 with X25519), HKDF-SHA256, ChaCha20-Poly1305. */
    S3,

    /** ML-KEM-768 with P-256, HKDF-SHA256, AES-128-GCM. */
    S4,
}

/** The choices of a client. Every member that is left out is what the protocol recommends. */
public data class Policy(
    /** How far back `iat` may lie. */
    public val freshness: Duration? = null,
    /** How far ahead `iat` may lie. */
    public val clockSkew: Duration? = null,
    /** The certificate profile that signers are held to. */
    public val profile: Profile? = null,
    /** The suites for which the library makes software keys, one key each. */
    public val suites: List<Suite>? = null,
    /** The life of a published key statement, at most 7 days. */
    public val statementLife: Duration? = null,
    /** The time within which a call must be announced, after which it is dialled unprotected. */
    public val placeDeadline: Duration? = null,
    /** The longest random pause between lookup and store, which keeps the two from being matched by time. */
    public val storeJitter: Duration? = null,
    /** The time within which a verdict on a ringing call is due. */
    public val ringDeadline: Duration? = null,
    /** The time within which an answer must be stored. */
    public val answerDeadline: Duration? = null,
    /** The time within which a lookup or a publication must be done. */
    public val directoryDeadline: Duration? = null,
    /** How long the caller waits for connected identity. */
    public val awaitAnswer: Duration? = null,
    /** The most blobs of one answer that are tried. May only be lowered. */
    public val maxBlobs: Int? = null,
    /** The most octets of one answer's body. May only be lowered. */
    public val maxAnswerOctets: Int? = null,
    /** The most PASSporTs that are checked for one call. */
    public val maxPassports: Int? = null,
    /**
     * Whether certificates that did not travel with a token are fetched during a call from where the caller
     * says. Shows the caller's host that and where a telephone rings.
     */
    public val fetchCertificates: Boolean? = null,
    /** The most URLs that are fetched for one call. */
    public val maxFetches: Int? = null,
    /** Whether a signer of whom no current revocation list speaks is refused. */
    public val requireRevocation: Boolean? = null,
    /** Whose key statements are sealed to: SHA-256 of the signers' public keys, 32 octets each. */
    public val readerSigners: List<ByteArray>? = null,
    /** Whether only those are sealed to whose certificate the trust bundle's logs have seen. */
    public val requireReaderTransparency: Boolean? = null,
    /** The time within which an update of trust must be done. */
    public val trustDeadline: Duration? = null,
    /** The most storage tokens that one store may cost. */
    public val maxPrice: Int? = null,
    /** The time within which a wallet of storage tokens must be filled. */
    public val refillDeadline: Duration? = null,
    /** The time within which a wallet is looked at again after a call. Zero: only [RingTrue.refresh] does. */
    public val refillWithin: Duration? = null,
    /** How often a token issuer's keys may change without suspicion. */
    public val issuerRotation: Duration? = null,
    /** A clock that shows an earlier time counts as unset. */
    public val earliestTime: Instant? = null,
) {
    internal fun toGenerated(): GeneratedPolicy = GeneratedPolicy(
        freshnessMs = freshness?.toMs(),
        clockSkewMs = clockSkew?.toMs(),
        profile = profile?.toGenerated(),
        suites = suites?.map { it.toGenerated() },
        statementLifeMs = statementLife?.toMs(),
        placeDeadlineMs = placeDeadline?.toMs(),
        storeJitterMs = storeJitter?.toMs(),
        ringDeadlineMs = ringDeadline?.toMs(),
        answerDeadlineMs = answerDeadline?.toMs(),
        directoryDeadlineMs = directoryDeadline?.toMs(),
        awaitAnswerMs = awaitAnswer?.toMs(),
        maxBlobs = maxBlobs?.unsigned(),
        maxAnswerOctets = maxAnswerOctets?.unsigned(),
        maxPassports = maxPassports?.unsigned(),
        fetchCertificates = fetchCertificates,
        maxFetches = maxFetches?.unsigned(),
        requireRevocation = requireRevocation,
        readerSigners = readerSigners,
        requireReaderTransparency = requireReaderTransparency,
        trustDeadlineMs = trustDeadline?.toMs(),
        maxPrice = maxPrice?.unsigned(),
        refillDeadlineMs = refillDeadline?.toMs(),
        refillWithinMs = refillWithin?.toMs(),
        issuerRotationMs = issuerRotation?.toMs(),
        earliestTimeUnixS = earliestTime?.epochSecond?.coerceAtLeast(0)?.toULong(),
    )
}

private fun Profile.toGenerated(): GeneratedProfile = when (this) {
    Profile.DELEGATE -> GeneratedProfile.DELEGATE
    Profile.SHAKEN -> GeneratedProfile.SHAKEN
    Profile.STIR -> GeneratedProfile.STIR
}

private fun Suite.toGenerated(): GeneratedSuite = when (this) {
    Suite.S1 -> GeneratedSuite.S1
    Suite.S2 -> GeneratedSuite.S2
    Suite.S3 -> GeneratedSuite.S3
    Suite.S4 -> GeneratedSuite.S4
}
