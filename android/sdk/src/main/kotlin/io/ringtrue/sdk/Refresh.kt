package io.ringtrue.sdk

/** A part of the refresh that applications make some times a day. */
public enum class RefreshPart {
    /** The operator's trust bundle and its revocation lists. */
    TRUST,

    /** Publishing the own keys. */
    KEYS,

    /** Asking who can open what callers seal for the own numbers. */
    READERS,

    /** Filling the wallets of storage tokens. */
    TOKENS,
}

/** What came of one step of [RingTrue.refresh], as it happens. */
public sealed interface RefreshStep {
    /** The trust bundle and its revocation lists are current. */
    public data class TrustIsCurrent(
        /** What came. */
        public val updated: TrustUpdated,
    ) : RefreshStep

    /** The own credential needs a new certificate, or cannot be used: the application has to act. */
    public data class CredentialIsDue(
        /** How it stands. */
        public val status: CredentialStatus,
    ) : RefreshStep

    /** The own keys are published. */
    public data class KeysArePublished(
        /** What came. */
        public val published: Published,
    ) : RefreshStep

    /** Somebody else can read calls to an own number since the last time: tell the user. */
    public data class ReaderIsNew(
        /** For which number, and who. */
        public val readers: NumberReaders,
    ) : RefreshStep

    /** A wallet of storage tokens was filled. */
    public data class TokensAreThere(
        /** Which wallet. */
        public val name: WalletName,
        /** What came. */
        public val refilled: Refilled,
    ) : RefreshStep

    /** A step could not be done; what was there before stays in use. The others go on. */
    public data class HasFailed(
        /** Which. */
        public val part: RefreshPart,
        /** Why. */
        public val reason: Reason,
    ) : RefreshStep
}
