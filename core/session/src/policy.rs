//! What an endpoint accepts and how long it tries. Every limit of the protocol that is a choice.

use core::time::Duration;

use ringtrue_oob::Suite;
use ringtrue_oob::token::{IssuerName, issuer_directory, redemption};
use ringtrue_stir::UnixTime;
use ringtrue_stir::certificate::Profile;

/// The release date of this build. A device clock behind it is not set (W-35).
pub const RELEASE_DATE: UnixTime = UnixTime::from_secs(1_793_491_200); // 2026-11-01

/// When a ringing call's mailbox is asked, after the ring (W-32; each ± 20 %).
pub const POLL_SCHEDULE: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(1000),
    Duration::from_millis(2500),
];

/// The choices of an endpoint. [`Policy::default`] is what the protocol recommends; an application
/// changes single members.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How far back `iat` may lie: 60 s (W-24).
    pub freshness: Duration,
    /// How far ahead `iat` may lie: 10 s (W-24).
    pub clock_skew: Duration,
    /// The certificate profile that signers are held to.
    pub profile: Profile,
    /// The suites for which the endpoint makes software keys, one key each. One recipient needs one
    /// key: every further one costs callers another copy. Classical and hybrid suites together are for
    /// a change from one kind to the other, and only with a [`Self::statement_life`] of at most 24 h
    /// (PRV-20); callers then seal to the hybrid keys alone.
    pub suites: Vec<Suite>,
    /// The life of a published key statement: 24 h by default, at most 7 days (PRV-35).
    pub statement_life: Duration,
    /// The time within which a call must be announced, after which it is dialled unprotected: 1.5 s
    /// (PRV-42).
    pub place_deadline: Duration,
    /// The longest random delay before a store: 400 ms; on average half of it is waited, and never more
    /// than a third of the time that is left to a deadline. Zero: none. It keeps whoever watches both
    /// the telephone and the network from joining the two by the time.
    pub store_jitter: Duration,
    /// The time within which a verdict on a ringing call is due: 2.5 s.
    pub ring_deadline: Duration,
    /// The time within which an answer must be stored: 2.5 s.
    pub answer_deadline: Duration,
    /// The time within which a lookup or a publication must be done: 10 s.
    pub directory_deadline: Duration,
    /// How long the caller waits for connected identity: 30 s.
    pub await_answer: Duration,
    /// The most blobs of one answer that are tried: 256 (PRV-10). May only be lowered.
    pub max_blobs: usize,
    /// The most octets of one answer's body: 1.5 MiB (PRV-10). May only be lowered.
    pub max_answer_octets: usize,
    /// The most PASSporTs that are checked for one call. Whoever knows the public key can seal many;
    /// this bounds what that costs the callee to some tens of milliseconds.
    pub max_passports: usize,
    /// Whether certificates that did not travel with a token are fetched from its `x5u`. False: who
    /// fetches shows a host, which the caller chose, that and where a telephone rings (CRT-46). Then
    /// such a token is refused with [`Reason::CredentialUnavailable`](ringtrue_stir::Reason).
    pub fetch_certificates: bool,
    /// The most URLs that are fetched for one call: 4, at most 16.
    pub max_fetches: usize,
    /// Whether a signer is refused when no current revocation list speaks of it, although the trust
    /// bundle names issuers of such lists. False: the verdict stands, and the reason
    /// ([`Reason::CrlStale`](ringtrue_stir::Reason), [`Reason::CrlUnavailable`](ringtrue_stir::Reason))
    /// is told with it. An endpoint that was offline for a day would otherwise verify nobody (CRT-61).
    pub require_revocation: bool,
    /// Whose key statements are sealed to: SHA-256 of the signers' SubjectPublicKeyInfo. Empty: everybody
    /// who may speak for the called number, as RFC 8816 section 8.1 has it. Every accepted statement is
    /// one more reader (T27).
    pub reader_signers: Vec<[u8; 32]>,
    /// Whether a statement is only sealed to if its signer's certificate shows as many valid timestamps
    /// of certificate logs as the trust bundle asks for. False. Without a bundle that names logs nobody is
    /// sealed to, then.
    pub require_reader_transparency: bool,
    /// The time within which an update of the trust bundle and its revocation lists must be done: 30 s.
    pub trust_deadline: Duration,
    /// The issuer whose storage tokens the own services want, named in the own key statement; `None` if
    /// they want none.
    pub token_issuer: Option<IssuerName>,
    /// How many storage tokens a wallet is filled up to: 40, at most 100. A refill is due when fewer than
    /// half are left.
    pub token_stock: usize,
    /// The most storage tokens that one store may cost: 32, which is the limit. Services ask for more than
    /// one only while a number is flooded.
    pub max_price: usize,
    /// The time within which a wallet must be filled: 30 s.
    pub refill_deadline: Duration,
    /// The time within which a wallet is looked at again after a call or a prefetch, at a random moment
    /// and not before a tenth of it: 30 min. One with fewer than a quarter of its stock is filled then, one
    /// with fewer than half 8 to 24 times as long after (4 to 12 h). Zero: the host's own schedule fills
    /// wallets.
    pub refill_within: Duration,
    /// How often a token issuer changes its key: 24 h (PRV-29). Others are for laboratories.
    pub issuer_rotation: Duration,
    /// A clock that shows an earlier time counts as unset: [`RELEASE_DATE`].
    pub earliest_time: UnixTime,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            freshness: Duration::from_secs(60),
            clock_skew: Duration::from_secs(10),
            profile: Profile::Stir,
            suites: vec![Suite::S1],
            statement_life: Duration::from_secs(86_400),
            place_deadline: Duration::from_millis(1500),
            store_jitter: Duration::from_millis(400),
            ring_deadline: Duration::from_millis(2500),
            answer_deadline: Duration::from_millis(2500),
            directory_deadline: Duration::from_secs(10),
            await_answer: Duration::from_secs(30),
            max_blobs: 256,
            max_answer_octets: 1_572_864,
            max_passports: 128,
            fetch_certificates: false,
            max_fetches: 4,
            require_revocation: false,
            reader_signers: Vec::new(),
            require_reader_transparency: false,
            trust_deadline: Duration::from_secs(30),
            token_issuer: None,
            token_stock: 40,
            max_price: redemption::MAX_TOKENS,
            refill_deadline: Duration::from_secs(30),
            refill_within: Duration::from_secs(1800),
            issuer_rotation: issuer_directory::ROTATION,
            earliest_time: RELEASE_DATE,
        }
    }
}
