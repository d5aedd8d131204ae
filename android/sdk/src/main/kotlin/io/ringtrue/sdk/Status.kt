package io.ringtrue.sdk

import io.ringtrue.CredentialState as GeneratedState
import io.ringtrue.CredentialStatus as GeneratedCredentialStatus
import io.ringtrue.NumberReaders as GeneratedReaders
import io.ringtrue.Prefetched as GeneratedPrefetched
import io.ringtrue.Published as GeneratedPublished
import io.ringtrue.Refilled as GeneratedRefilled
import io.ringtrue.TrustStatus as GeneratedTrustStatus
import io.ringtrue.TrustUpdated as GeneratedTrustUpdated
import io.ringtrue.WalletName as GeneratedName
import io.ringtrue.WalletStatus as GeneratedWallet
import java.time.Instant

/** Whether the client can sign. */
public enum class CredentialState {
    /** Its certificate, or one above it, has expired. */
    EXPIRED,

    /** Good, and in the last third of its life: ask for a new one. */
    EXPIRING,

    /** There is none. */
    MISSING,

    /** Its certificate, or one above it, is not valid yet. */
    NOT_YET_VALID,

    /** It does not hold by what the client itself trusts. Nothing is signed with it. */
    UNTRUSTED,

    /** Good. */
    VALID,
}

/** How the client's credential stands. */
public data class CredentialStatus(
    /** Whether the client can sign now. */
    public val state: CredentialState,
    /** Why not, or that it will end soon. */
    public val reason: Reason?,
    /** The last moment at which it is valid. */
    public val expires: Instant?,
    /** From when on a new certificate should be asked for. */
    public val renewFrom: Instant?,
)

/** What came of publishing keys. Its text shows the count of numbers only. */
public data class Published(
    /** The numbers whose directory entry is now the current statement. */
    public val numbers: List<String>,
    /** When the statement expires. Publish again before. */
    public val expires: Instant,
    /** Whether new keys were made. */
    public val rotated: Boolean,
    /** What is worth knowing. */
    public val notices: List<Reason>,
) {
    override fun toString(): String = "Published(${numbers.size} numbers)"
}

/** What came of looking contacts up ahead of calls. */
public data class Prefetched(
    /** Contacts whose keys are known now. */
    public val found: Int,
    /** Contacts that have none, as far as the directory shows. */
    public val withoutKeys: Int,
    /** Contacts that could not be asked for. */
    public val failed: Int,
)

/** Whom a client believes at present. */
public data class TrustStatus(
    /** The number of the trust bundle in use; nothing while the configured anchors are. */
    public val version: Long?,
    /** When the bundle ends. From then on nobody is verified until a new one is there. */
    public val expires: Instant?,
    /** How many revocation lists are in use. */
    public val revocationLists: Int,
    /** When the first of them is outdated. */
    public val nextUpdate: Instant?,
)

/** What came of an update of trust. */
public data class TrustUpdated(
    /** The number of the bundle. */
    public val version: Long,
    /** Whether it was not in use before. */
    public val isNew: Boolean,
    /** When it ends. */
    public val expires: Instant,
    /** How many revocation lists are in use. */
    public val revocationLists: Int,
    /** When the first of them is outdated. */
    public val nextUpdate: Instant?,
    /** What went wrong with single revocation lists. */
    public val reasons: List<Reason>,
)

/** Names a wallet: tokens of this issuer, good at this service. Its text shows nothing of it. */
public data class WalletName(
    /** Whose tokens: the authority of the issuer's base URL. */
    public val issuer: String,
    /** Where they are good: the authority of the placement service. */
    public val service: String,
) {
    override fun toString(): String = "WalletName(..)"

    internal fun toGenerated(): GeneratedName = GeneratedName(issuer, service)
}

/** How a wallet stands. */
public data class WalletStatus(
    /** Which wallet. */
    public val name: WalletName,
    /** How many tokens are good now. */
    public val tokens: Int,
    /** When the last of them ends. */
    public val end: Instant?,
)

/** What came of filling a wallet. */
public data class Refilled(
    /** How many tokens came. */
    public val added: Int,
    /** How many are in stock now. */
    public val stock: Int,
    /** What went wrong, if anything. */
    public val reasons: List<Reason>,
)

/** Who can open calls to one own number. Its text shows nothing of it. */
public data class NumberReaders(
    /** The own number. */
    public val number: String,
    /** Everybody whose key statement is live, this client among them. */
    public val readers: List<Reader>,
    /** What is worth knowing: `reader_added`, `statement_superseded`, `keys_not_published`. */
    public val notices: List<Reason>,
) {
    override fun toString(): String = "NumberReaders(${readers.size} readers)"
}

/** Somebody to whom callers seal. His text shows nothing of him. */
public class Reader internal constructor(
    /** SHA-256 of the public key in his certificate, 32 octets. */
    public val signer: ByteArray,
    /** The subject of his certificate, for people. Nobody but its issuer vouches for it. */
    public val subject: String,
    /** The suites of his keys, by name. */
    public val suites: List<String>,
    /** Until when his statement holds. */
    public val expires: Instant,
    /** Since when this client lists him. */
    public val since: Instant?,
    /** Whether it is this client itself. */
    public val isOwn: Boolean,
    /** Whether he was not there, or not noticed, when readers were listed last. */
    public val isNew: Boolean,
) {
    override fun toString(): String = "Reader(..)"
}

internal fun ULong.instant(): Instant = Instant.ofEpochSecond(coerceAtMost(Instant.MAX.epochSecond.toULong()).toLong())

internal fun GeneratedCredentialStatus.toSdk(): CredentialStatus = CredentialStatus(
    state = when (state) {
        GeneratedState.EXPIRED -> CredentialState.EXPIRED
        GeneratedState.EXPIRING -> CredentialState.EXPIRING
        GeneratedState.MISSING -> CredentialState.MISSING
        GeneratedState.NOT_YET_VALID -> CredentialState.NOT_YET_VALID
        GeneratedState.UNTRUSTED -> CredentialState.UNTRUSTED
        GeneratedState.VALID -> CredentialState.VALID
    },
    reason = reason?.toSdk(),
    expires = expiresUnixS?.instant(),
    renewFrom = renewFromUnixS?.instant(),
)

internal fun GeneratedPublished.toSdk(): Published = Published(numbers, expUnixS.instant(), rotated, notices.toSdk())

internal fun GeneratedPrefetched.toSdk(): Prefetched = Prefetched(found.toInt(), withoutKeys.toInt(), failed.toInt())

internal fun GeneratedTrustStatus.toSdk(): TrustStatus =
    TrustStatus(version?.toLong(), expiresUnixS?.instant(), revocationLists.toInt(), nextUpdateUnixS?.instant())

internal fun GeneratedTrustUpdated.toSdk(): TrustUpdated = TrustUpdated(
    version = version.toLong(),
    isNew = isNew,
    expires = expiresUnixS.instant(),
    revocationLists = revocationLists.toInt(),
    nextUpdate = nextUpdateUnixS?.instant(),
    reasons = reasons.toSdk(),
)

internal fun GeneratedName.toSdk(): WalletName = WalletName(issuer, service)

internal fun GeneratedWallet.toSdk(): WalletStatus = WalletStatus(name.toSdk(), tokens.toInt(), endUnixS?.instant())

internal fun GeneratedRefilled.toSdk(): Refilled = Refilled(added.toInt(), stock.toInt(), reasons.toSdk())

internal fun GeneratedReaders.toSdk(): NumberReaders = NumberReaders(
    number = number,
    readers = readers.map {
        Reader(
            it.signer, it.subject, it.suites, it.expiresUnixS.instant(), it.sinceUnixS?.instant(), it.isOwn, it.isNew,
        )
    },
    notices = notices.toSdk(),
)
