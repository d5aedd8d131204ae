//! What an endpoint accepts and how long it tries. Whatever is left out has the default of the Rust API.

use std::time::Duration;

use ringtrue::{Reason, UnixTime};

use crate::optional::{count, set};

/// The rules for certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Profile {
    /// Certificates of endpoints: every issuer below the anchor must state its scope.
    Delegate,
    /// Service-provider certificates as they are in use.
    Shaken,
    /// RFC 8226 and RFC 9060 as they stand.
    Stir,
}

impl From<Profile> for ringtrue::Profile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Delegate => Self::Delegate,
            Profile::Shaken => Self::Shaken,
            Profile::Stir => Self::Stir,
        }
    }
}

/// The suites of sealed PASSporTs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Suite {
    /// P-256, HKDF-SHA256, AES-128-GCM. For keys in hardware.
    S1,
    /// X25519, HKDF-SHA256, ChaCha20-Poly1305.
    S2,
    /// X-Wing (ML-KEM-768 with X25519), HKDF-SHA256, ChaCha20-Poly1305.
    S3,
    /// ML-KEM-768 with P-256, HKDF-SHA256, AES-128-GCM.
    S4,
}

impl From<Suite> for ringtrue::Suite {
    fn from(suite: Suite) -> Self {
        match suite {
            Suite::S1 => Self::S1,
            Suite::S2 => Self::S2,
            Suite::S3 => Self::S3,
            Suite::S4 => Self::S4,
        }
    }
}

/// The choices of an endpoint. Every member that is left out is what the protocol recommends.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Policy {
    /// How far back `iat` may lie.
    #[uniffi(default)]
    pub freshness_ms: Option<u64>,
    /// How far ahead `iat` may lie.
    #[uniffi(default)]
    pub clock_skew_ms: Option<u64>,
    /// The certificate profile that signers are held to.
    #[uniffi(default)]
    pub profile: Option<Profile>,
    /// The suites for which the endpoint makes software keys, one key each.
    #[uniffi(default)]
    pub suites: Option<Vec<Suite>>,
    /// The life of a published key statement, at most 7 days.
    #[uniffi(default)]
    pub statement_life_ms: Option<u64>,
    /// The time within which a call must be announced, after which it is dialled unprotected.
    #[uniffi(default)]
    pub place_deadline_ms: Option<u64>,
    /// The longest random delay before a store; zero: none. It keeps whoever watches both the telephone
    /// and the network from joining the two by the time.
    #[uniffi(default)]
    pub store_jitter_ms: Option<u64>,
    /// The time within which a verdict on a ringing call is due.
    #[uniffi(default)]
    pub ring_deadline_ms: Option<u64>,
    /// The time within which an answer must be stored.
    #[uniffi(default)]
    pub answer_deadline_ms: Option<u64>,
    /// The time within which a lookup or a publication must be done.
    #[uniffi(default)]
    pub directory_deadline_ms: Option<u64>,
    /// How long the caller waits for connected identity.
    #[uniffi(default)]
    pub await_answer_ms: Option<u64>,
    /// The most blobs of one answer that are tried. May only be lowered.
    #[uniffi(default)]
    pub max_blobs: Option<u32>,
    /// The most octets of one answer's body. May only be lowered.
    #[uniffi(default)]
    pub max_answer_octets: Option<u32>,
    /// The most PASSporTs that are checked for one call.
    #[uniffi(default)]
    pub max_passports: Option<u32>,
    /// Whether certificates that did not travel with a token are fetched during a call from where the
    /// caller says. Shows the caller's host that and where a telephone rings.
    #[uniffi(default)]
    pub fetch_certificates: Option<bool>,
    /// The most URLs that are fetched for one call.
    #[uniffi(default)]
    pub max_fetches: Option<u32>,
    /// Whether a signer of whom no current revocation list speaks is refused, where the trust bundle
    /// names issuers of such lists.
    #[uniffi(default)]
    pub require_revocation: Option<bool>,
    /// Whose key statements are sealed to: SHA-256 of the signers' public keys, 32 octets each. Empty or
    /// left out: everybody who may speak for the called number.
    #[uniffi(default)]
    pub reader_signers: Option<Vec<Vec<u8>>>,
    /// Whether only those are sealed to whose certificate the trust bundle's logs have seen.
    #[uniffi(default)]
    pub require_reader_transparency: Option<bool>,
    /// The time within which an update of trust must be done.
    #[uniffi(default)]
    pub trust_deadline_ms: Option<u64>,
    /// The most storage tokens that one store may cost. Services ask for more than one only while a number
    /// is flooded.
    #[uniffi(default)]
    pub max_price: Option<u32>,
    /// The time within which a wallet of storage tokens must be filled.
    #[uniffi(default)]
    pub refill_deadline_ms: Option<u64>,
    /// The time within which a wallet is looked at again after a call or a prefetch, at a random moment.
    /// Zero: the application's own schedule fills wallets.
    #[uniffi(default)]
    pub refill_within_ms: Option<u64>,
    /// How often a token issuer changes its key. Another value than the default is for laboratories.
    #[uniffi(default)]
    pub issuer_rotation_ms: Option<u64>,
    /// A clock that shows an earlier time, in seconds since the Unix epoch, counts as unset.
    #[uniffi(default)]
    pub earliest_time_unix_s: Option<u64>,
}

impl Policy {
    pub(crate) fn into_core(self) -> Result<ringtrue::Policy, Reason> {
        let ms = Duration::from_millis;
        let mut policy = ringtrue::Policy::default();
        set(&mut policy.freshness, self.freshness_ms, ms);
        set(&mut policy.clock_skew, self.clock_skew_ms, ms);
        set(&mut policy.profile, self.profile, ringtrue::Profile::from);
        set(&mut policy.suites, self.suites, |suites| {
            suites.into_iter().map(ringtrue::Suite::from).collect()
        });
        set(&mut policy.statement_life, self.statement_life_ms, ms);
        set(&mut policy.place_deadline, self.place_deadline_ms, ms);
        set(&mut policy.store_jitter, self.store_jitter_ms, ms);
        set(&mut policy.ring_deadline, self.ring_deadline_ms, ms);
        set(&mut policy.answer_deadline, self.answer_deadline_ms, ms);
        set(
            &mut policy.directory_deadline,
            self.directory_deadline_ms,
            ms,
        );
        set(&mut policy.await_answer, self.await_answer_ms, ms);
        set(&mut policy.max_blobs, self.max_blobs, count);
        set(&mut policy.max_answer_octets, self.max_answer_octets, count);
        set(&mut policy.max_passports, self.max_passports, count);
        let same = |value| value;
        set(
            &mut policy.fetch_certificates,
            self.fetch_certificates,
            same,
        );
        set(&mut policy.max_fetches, self.max_fetches, count);
        set(
            &mut policy.require_revocation,
            self.require_revocation,
            same,
        );
        if let Some(signers) = self.reader_signers {
            let digest = |signer: Vec<u8>| signer.try_into();
            let signers = signers.into_iter().map(digest).collect::<Result<_, _>>();
            policy.reader_signers = signers.map_err(|_| Reason::ConfigurationInvalid)?;
        }
        set(
            &mut policy.require_reader_transparency,
            self.require_reader_transparency,
            same,
        );
        set(&mut policy.trust_deadline, self.trust_deadline_ms, ms);
        set(&mut policy.max_price, self.max_price, count);
        set(&mut policy.refill_deadline, self.refill_deadline_ms, ms);
        set(&mut policy.refill_within, self.refill_within_ms, ms);
        set(&mut policy.issuer_rotation, self.issuer_rotation_ms, ms);
        set(
            &mut policy.earliest_time,
            self.earliest_time_unix_s,
            UnixTime::from_secs,
        );
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ringtrue::{Reason, UnixTime};

    use super::{Policy, Profile, Suite};

    #[test]
    fn a_policy_without_members_is_the_core_s() {
        assert_eq!(
            Policy::default().into_core(),
            Ok(ringtrue::Policy::default())
        );
    }

    #[test]
    fn a_signer_that_is_no_digest_is_refused() {
        let policy = Policy {
            reader_signers: Some(vec![vec![7; 31]]),
            ..Policy::default()
        };
        assert_eq!(policy.into_core(), Err(Reason::ConfigurationInvalid));
    }

    #[test]
    fn every_member_of_a_policy_arrives_where_it_belongs() {
        let policy = Policy {
            freshness_ms: Some(1),
            clock_skew_ms: Some(2),
            profile: Some(Profile::Delegate),
            suites: Some(vec![Suite::S2, Suite::S1]),
            statement_life_ms: Some(3),
            place_deadline_ms: Some(4),
            store_jitter_ms: Some(18),
            ring_deadline_ms: Some(5),
            answer_deadline_ms: Some(6),
            directory_deadline_ms: Some(7),
            await_answer_ms: Some(8),
            max_blobs: Some(9),
            max_answer_octets: Some(10),
            max_passports: Some(11),
            fetch_certificates: Some(true),
            max_fetches: Some(13),
            require_revocation: Some(true),
            reader_signers: Some(vec![vec![7; 32]]),
            require_reader_transparency: Some(true),
            trust_deadline_ms: Some(14),
            max_price: Some(15),
            refill_deadline_ms: Some(16),
            refill_within_ms: Some(17),
            issuer_rotation_ms: Some(19),
            earliest_time_unix_s: Some(12),
        };
        let ms = Duration::from_millis;
        let mut expected = ringtrue::Policy::default();
        expected.freshness = ms(1);
        expected.clock_skew = ms(2);
        expected.profile = ringtrue::Profile::Delegate;
        expected.suites = vec![ringtrue::Suite::S2, ringtrue::Suite::S1];
        expected.statement_life = ms(3);
        expected.place_deadline = ms(4);
        expected.store_jitter = ms(18);
        expected.ring_deadline = ms(5);
        expected.answer_deadline = ms(6);
        expected.directory_deadline = ms(7);
        expected.await_answer = ms(8);
        expected.max_blobs = 9;
        expected.max_answer_octets = 10;
        expected.max_passports = 11;
        expected.fetch_certificates = true;
        expected.max_fetches = 13;
        expected.require_revocation = true;
        expected.reader_signers = vec![[7; 32]];
        expected.require_reader_transparency = true;
        expected.trust_deadline = ms(14);
        expected.max_price = 15;
        expected.refill_deadline = ms(16);
        expected.refill_within = ms(17);
        expected.issuer_rotation = ms(19);
        expected.earliest_time = UnixTime::from_secs(12);
        assert_eq!(policy.into_core(), Ok(expected));
    }

    #[test]
    fn every_suite_and_profile_converts() {
        let suites: Vec<_> = [Suite::S1, Suite::S2, Suite::S3, Suite::S4]
            .into_iter()
            .map(ringtrue::Suite::from)
            .collect();
        assert_eq!(suites, ringtrue::Suite::ALL);
        assert_eq!(
            ringtrue::Profile::from(Profile::Delegate),
            ringtrue::Profile::Delegate
        );
        assert_eq!(
            ringtrue::Profile::from(Profile::Shaken),
            ringtrue::Profile::Shaken
        );
        assert_eq!(
            ringtrue::Profile::from(Profile::Stir),
            ringtrue::Profile::Stir
        );
    }
}
