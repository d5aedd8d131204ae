//! The registry of reason codes: one list for errors, for the reasons of a verdict and for notices,
//! shared by Rust, Kotlin, Swift, Python, C and the command line.
//!
//! A code has a name (`snake_case`) and a number. Both are stable: a number is never reused, and a
//! retired one stays here as a comment. Numbers come in blocks per [`Kind`].

use core::fmt;

/// Who has to act on a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Input that could not be parsed. Numbers 1000 to 1999.
    Malformed,
    /// A certificate, signature or authority that does not hold. Numbers 2000 to 2999.
    Untrusted,
    /// Good in itself, but for another call, number or state. Numbers 3000 to 3999.
    Mismatch,
    /// Too old or too new. Numbers 4000 to 4999.
    Stale,
    /// The network, a service, a key store or the state store could not do it. Numbers 5000 to 5999.
    Unavailable,
    /// The application broke the contract of the interface. Numbers 6000 to 6999.
    Misuse,
    /// A defect of this library. Numbers 7000 to 7999.
    Internal,
    /// Worth reporting, changes no verdict. Numbers 8000 to 8999.
    Notice,
}

macro_rules! reasons {
    ($($number:literal $kind:ident $variant:ident $name:literal $text:literal;)*) => {
        /// Why something was refused, failed or is worth knowing. Also the error type of the project.
        ///
        /// [`fmt::Display`] gives text for developers, without any data of a call; applications
        /// translate from [`Reason::name`] or [`Reason::number`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum Reason {
            $(#[doc = concat!("`", $name, "`: ", $text, ".")] $variant = $number,)*
        }

        impl Reason {
            /// Every registered reason, in order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable number.
            #[must_use]
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// The stable name, `snake_case`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Who has to act.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// One line for developers: lower case, no full stop, nothing of the call.
            #[must_use]
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    1001 Malformed MalformedNumber "malformed_number" "not 1 to 15 characters out of 0-9 * #";
    1002 Malformed MalformedToken "malformed_token" "not three base64url parts joined by dots";
    1003 Malformed MalformedJson "malformed_json" "not the JSON that is expected here";
    1004 Malformed DuplicateMember "duplicate_member" "a JSON object repeats a member";
    1005 Malformed TooLong "too_long" "longer than the limit for its kind";
    1006 Malformed TooDeep "too_deep" "nested deeper, or with longer arrays, than allowed";
    1007 Malformed IatNotNumber "iat_not_number" "iat is not an integer number of seconds";
    1008 Malformed MalformedClaims "malformed_claims" "a required claim is missing or has the wrong form";
    1009 Malformed MalformedSignature "malformed_signature" "not 64 octets r then s inside the range";
    1010 Malformed NotCanonical "not_canonical" "header or payload is not the deterministic JSON serialisation";
    1011 Malformed MalformedCertificate "malformed_certificate" "not a certificate of the supported form";
    1012 Malformed MalformedTnAuthList "malformed_tn_auth_list" "the TNAuthList is not strict DER of the expected form";
    1013 Malformed MalformedKey "malformed_key" "not a valid key of its suite";
    1014 Malformed MalformedBlob "malformed_blob" "not a sealed PASSporT of a known version, suite and size class";
    1015 Malformed MalformedContent "malformed_content" "the sealed content is not the expected object";
    1016 Malformed MalformedStatement "malformed_statement" "not a key statement of the expected form";
    1017 Malformed MalformedUrl "malformed_url" "not an https URL of the allowed form";
    1018 Malformed MalformedAnswer "malformed_answer" "the service's answer is not what the protocol says";
    1019 Malformed AlgorithmNotAllowed "algorithm_not_allowed" "alg is not ES256";
    1020 Malformed TypeMismatch "type_mismatch" "typ is not the one this token must have";
    1021 Malformed X5uMissing "x5u_missing" "the header has no x5u";
    1022 Malformed TooManyCertificates "too_many_certificates" "more certificates than a path may have";
    1023 Malformed MalformedPem "malformed_pem" "not PEM of the expected kind";
    1024 Malformed MalformedRecord "malformed_record" "a stored record cannot be read";
    1025 Malformed TooManyBlobs "too_many_blobs" "more blobs than one message may carry";
    1026 Malformed UnsupportedMediaType "unsupported_media_type" "the media type is not the one this message must have";
    1027 Malformed IatMissing "iat_missing" "the token does not say when the call was originated";
    1028 Malformed MalformedOrig "malformed_orig" "orig is not an object with exactly one tn or uri";
    1029 Malformed DestMissing "dest_missing" "the token names no destination";
    1030 Malformed MalformedDest "malformed_dest" "dest is not an object of non-empty arrays named tn and uri";
    1031 Malformed DestNotSorted "dest_not_sorted" "the values of a dest array are not in lexicographic order";
    1032 Malformed AttestNotAllowed "attest_not_allowed" "attest is missing or not A, B or C";
    1033 Malformed MalformedOrigid "malformed_origid" "origid is missing or no UUID";
    1034 Malformed MalformedDiv "malformed_div" "div is missing or not one tn or uri";
    1035 Malformed MalformedOpt "malformed_opt" "opt is missing or no PASSporT in full form";
    1036 Malformed MalformedRph "malformed_rph" "rph is missing or not an object of arrays of resource priorities";
    1037 Malformed SphNotAllowed "sph_not_allowed" "sph is there without an esnet priority, or is not psap-callback";
    1038 Malformed MalformedMky "malformed_mky" "mky is not a sorted array of fingerprints";
    1039 Malformed MalformedDigest "malformed_digest" "not an algorithm, a hyphen and a base64 digest of its length";
    1040 Malformed MalformedRcd "malformed_rcd" "rich call data is missing or has the wrong form";
    1041 Malformed MalformedJcard "malformed_jcard" "not a jCard";
    1042 Malformed MalformedIdentityHeader "malformed_identity_header" "not an Identity header value";
    1043 Malformed MalformedReasonHeader "malformed_reason_header" "not a Reason header value";
    1044 Malformed MalformedCrl "malformed_crl" "not a certificate revocation list of the supported form";
    1045 Malformed MalformedSctList "malformed_sct_list" "not a list of signed certificate timestamps";
    1046 Malformed MalformedTrustBundle "malformed_trust_bundle" "not a trust bundle of the expected form";
    1047 Malformed MalformedCertificateRequest "malformed_certificate_request" "not a certificate request of the expected form";
    1048 Malformed CompactFormNotAllowed "compact_form_not_allowed" "a token in compact form where the full form is required";
    1049 Malformed MalformedPpt "malformed_ppt" "ppt is not a string";
    1050 Malformed MalformedUri "malformed_uri" "not a SIP, SIPS or tel URI of the expected form";
    1051 Malformed InfoNotBracketed "info_not_bracketed" "the URI of the header's info is not in angle brackets";
    1052 Malformed MalformedDate "malformed_date" "not a date of the form that SIP has";
    1053 Malformed MalformedStorageToken "malformed_storage_token" "not a storage token, its key, counter or signature of the expected form";
    1054 Malformed MalformedIssuerDirectory "malformed_issuer_directory" "not a directory of token issuer keys of the expected form";
    1055 Malformed MalformedTokenRequest "malformed_token_request" "not a token request, its authorization or its answer of the expected form";
    1056 Malformed MalformedGatewayKeys "malformed_gateway_keys" "not a key configuration of an Oblivious HTTP gateway of the expected form";
    1057 Malformed MalformedEncapsulation "malformed_encapsulation" "not an encapsulated or binary HTTP message of the expected form";

    2001 Untrusted NoPathToAnchor "no_path_to_anchor" "no certificate path leads to a configured anchor";
    2002 Untrusted CertificateExpired "certificate_expired" "a certificate of the path has expired";
    2003 Untrusted CertificateNotYetValid "certificate_not_yet_valid" "a certificate of the path is not valid yet";
    2004 Untrusted SignatureInvalid "signature_invalid" "the signature does not verify with the signer's key";
    2005 Untrusted IssuerNotCa "issuer_not_ca" "an issuer in the path may not issue certificates";
    2006 Untrusted PathTooLong "path_too_long" "a path length constraint is exceeded";
    2007 Untrusted KeyUsageMissing "key_usage_missing" "the key usage does not allow this use";
    2008 Untrusted NumberNotCovered "number_not_covered" "the signer's TNAuthList does not cover the number";
    2009 Untrusted AuthorityBySpc "authority_by_spc" "the signer's authority is by service provider code only";
    2010 Untrusted EncompassUnknown "encompass_unknown" "whether the issuer's scope holds the delegate's cannot be told";
    2011 Untrusted ScopeNotEncompassed "scope_not_encompassed" "a delegate's scope is outside its issuer's";
    2012 Untrusted CredentialUnavailable "credential_unavailable" "no certificate of the signer is at hand";
    2013 Untrusted SignerIsCa "signer_is_ca" "a CA certificate must not sign tokens";
    2014 Untrusted TnAuthListMissing "tn_auth_list_missing" "the signer has no TNAuthList and so no authority over numbers";
    2015 Untrusted UnsupportedCriticalExtension "unsupported_critical_extension" "a certificate has a critical extension that is not supported";
    2016 Untrusted UnsupportedCertificateKey "unsupported_certificate_key" "a certificate's key or signature algorithm is not supported";
    2017 Untrusted StatementExpired "statement_expired" "the key statement has expired";
    2018 Untrusted StatementNotYetValid "statement_not_yet_valid" "the key statement is from the future";
    2019 Untrusted StatementOutlivesCertificate "statement_outlives_certificate" "the key statement outlives its signer's certificate";
    2020 Untrusted SequenceRollback "sequence_rollback" "the key statement is older than one seen before";
    2021 Untrusted Equivocation "equivocation" "two different key statements carry the same sequence number";
    2022 Untrusted KeyMismatch "key_mismatch" "the certificate is not for this key";
    2023 Untrusted StatementNumberMissing "statement_number_missing" "the key statement does not name the number";
    2024 Untrusted ClaimConstraintViolated "claim_constraint_violated" "the signer's certificate forbids what the token claims";
    2025 Untrusted ChainIncomplete "chain_incomplete" "no certificate of an issuer in the path is at hand";
    2026 Untrusted SignerNotFirst "signer_not_first" "the first certificate of the chain is not the signer's";
    2027 Untrusted KeyIdentifierMismatch "key_identifier_mismatch" "an authority key identifier is not the issuer's subject key identifier";
    2028 Untrusted CertificateRevoked "certificate_revoked" "a certificate of the path is revoked";
    2029 Untrusted CrlUntrusted "crl_untrusted" "the revocation list is not by a configured issuer";
    2030 Untrusted AuthorityUnknown "authority_unknown" "the signer's TNAuthList is by reference and was not fetched";
    2031 Untrusted SctInvalid "sct_invalid" "a signed certificate timestamp of a known log does not verify";
    2032 Untrusted SctMissing "sct_missing" "too few valid signed certificate timestamps";
    2033 Untrusted BundleRollback "bundle_rollback" "the trust bundle is older than one accepted before";
    2034 Untrusted BundleUntrusted "bundle_untrusted" "the trust bundle is not signed by the configured key";
    2035 Untrusted IssuerKeyUnusable "issuer_key_unusable" "a token issuer's key is not of the form, size or period that is required";
    2036 Untrusted IssuerInconsistent "issuer_inconsistent" "a token issuer shows different keys to different askers, or too many";
    2037 Untrusted TokenInvalid "token_invalid" "a storage token's signature does not verify";
    2038 Untrusted TokenSpent "token_spent" "a storage token was used before";
    2039 Untrusted GatewayKeysInconsistent "gateway_keys_inconsistent" "a gateway shows different keys to different askers";
    2040 Untrusted ReaderNotAllowed "reader_not_allowed" "the policy does not allow the signer of a key statement to read calls";
    2041 Untrusted RecordNotOpened "record_not_opened" "a state record does not open with the host's key";
    2042 Untrusted DirectoryInconsistent "directory_inconsistent" "two key directories show different statements of a number";

    3001 Mismatch OrigMismatch "orig_mismatch" "orig is not the calling number";
    3002 Mismatch DestMismatch "dest_mismatch" "dest does not hold the called number";
    3003 Mismatch Replayed "replayed" "the PASSporT was used for an earlier call";
    3004 Mismatch CallerGone "caller_gone" "the caller has reported that this call attempt ended";
    3005 Mismatch ConcurrentCall "concurrent_call" "another call from the same number is alerting";
    3006 Mismatch StateMismatch "state_mismatch" "the two sides report different call states or times";
    3007 Mismatch UnexpectedRsp "unexpected_rsp" "an rsp PASSporT outside an answer, or another type inside one";
    3008 Mismatch CallNonceMismatch "call_nonce_mismatch" "the content belongs to another call attempt";
    3009 Mismatch BlobNotOpened "blob_not_opened" "the blob does not open with this key for this number";
    3010 Mismatch InfoMismatch "info_mismatch" "the header's info is not the token's x5u";
    3011 Mismatch HeaderParameterMismatch "header_parameter_mismatch" "the header's alg or ppt is not the token's";
    3012 Mismatch DivMismatch "div_mismatch" "no earlier token has the div as its destination";
    3013 Mismatch DivOrigMismatch "div_orig_mismatch" "the tokens of a diversion chain differ in orig";
    3014 Mismatch DivChainIncomplete "div_chain_incomplete" "the diversions do not form one chain to an original token";
    3015 Mismatch DivTooDeep "div_too_deep" "more diversions than allowed, or one twice";
    3016 Mismatch DigestMismatch "digest_mismatch" "the content is not what the digest was made over";
    3017 Mismatch MediaMismatch "media_mismatch" "the session's key fingerprints are not those of mky";
    3018 Mismatch PriorityMismatch "priority_mismatch" "the signalled priority is not the token's";

    4001 Stale IatStale "iat_stale" "iat is further back than the freshness window";
    4002 Stale IatInFuture "iat_in_future" "iat is further ahead than the allowed clock skew";
    4003 Stale IatOutsideCertificate "iat_outside_certificate" "iat is outside the signer certificate's validity";
    4004 Stale RspBeforeCall "rsp_before_call" "the answer was signed before the call was announced";
    4005 Stale CrlStale "crl_stale" "the revocation list is past its next update";
    4006 Stale InnerStale "inner_stale" "the original token of a diversion is too old";
    4007 Stale BundleExpired "bundle_expired" "the trust bundle has expired";
    4008 Stale DateStale "date_stale" "the Date header is outside the freshness window";

    5001 Unavailable DeadlinePassed "deadline_passed" "the deadline passed first";
    5002 Unavailable ServiceUnreachable "service_unreachable" "no connection to the service";
    5003 Unavailable TlsFailed "tls_failed" "the service's TLS certificate or handshake was not accepted";
    5004 Unavailable ServiceError "service_error" "the service answered with an error";
    5005 Unavailable OverLimit "over_limit" "the service asks to try later";
    5006 Unavailable TokenRequired "token_required" "the service wants a storage token";
    5007 Unavailable TokenRejected "token_rejected" "the service did not accept the storage token";
    5008 Unavailable AnswerTooLarge "answer_too_large" "the answer is larger than its limit";
    5009 Unavailable Redirected "redirected" "the service redirects, which is not followed";
    5010 Unavailable AddressNotAllowed "address_not_allowed" "the address is not a public one";
    5011 Unavailable NoUsableKey "no_usable_key" "no usable encryption key of the called party";
    5012 Unavailable NoPlacementService "no_placement_service" "no placement service is known for the number";
    5013 Unavailable SignerFailed "signer_failed" "the signing key could not be used";
    5014 Unavailable KeyAgreementFailed "key_agreement_failed" "the encryption key could not be used";
    5015 Unavailable StateUnavailable "state_unavailable" "the state store could not be read or written";
    5016 Unavailable RandomnessUnavailable "randomness_unavailable" "the platform's random generator failed";
    5017 Unavailable StatementRejected "statement_rejected" "the key directory did not accept the statement";
    5018 Unavailable StatementSuperseded "statement_superseded" "the key directory holds a newer statement of this signer";
    5019 Unavailable Cancelled "cancelled" "the application gave the operation up";
    5020 Unavailable ContentTooLong "content_too_long" "the content does not fit the size class";
    5021 Unavailable SuiteUnsupported "suite_unsupported" "this build does not seal or open the suite";
    5022 Unavailable FetchingOff "fetching_off" "fetching is switched off";
    5023 Unavailable CrlUnavailable "crl_unavailable" "no current revocation list is at hand";
    5024 Unavailable WalletEmpty "wallet_empty" "no storage token was at hand and none could be had in time";
    5025 Unavailable OverQuota "over_quota" "the token issuer gives this credential no more tokens today";
    5026 Unavailable RelayFailed "relay_failed" "the relay or the gateway behind it did not carry the request";
    5027 Unavailable RelayRequired "relay_required" "the policy does not allow a direct connection for this and there is no relay";
    5028 Unavailable IssuerRefused "issuer_refused" "the token issuer does not accept the credential";
    5029 Unavailable PriceTooHigh "price_too_high" "the service asks more storage tokens for this store than the policy gives";

    6001 Misuse NumberNotOwned "number_not_owned" "the number is not one of the endpoint's own";
    6002 Misuse ConfigurationInvalid "configuration_invalid" "the configuration is incomplete or contradicts itself";
    6003 Misuse NotVerified "not_verified" "only a verified call can be answered";
    6004 Misuse RspNotRequested "rsp_not_requested" "the caller did not ask for connected identity";
    6005 Misuse KeysNotPublished "keys_not_published" "the endpoint has no published encryption key";
    6006 Misuse EventUnexpected "event_unexpected" "the session was given an event that it did not ask for";
    6007 Misuse CredentialMissing "credential_missing" "the endpoint has no credential for the number";

    7001 Internal Internal "internal" "a defect of this library";

    8001 Notice CallerWithheld "caller_withheld" "the calling number was withheld";
    8002 Notice CpsMismatch "cps_mismatch" "the content names another placement service than the one asked";
    8003 Notice KsdUnknown "ksd_unknown" "the content was sealed by a key statement that is not one of ours";
    8004 Notice PptUnsupported "ppt_unsupported" "a PASSporT of an unsupported type was ignored";
    8005 Notice TokenJustInTime "token_just_in_time" "a storage token was fetched at dial time";
    8006 Notice KeysTruncated "keys_truncated" "more than eight keys: the newest eight are used";
    8007 Notice ClockUnset "clock_unset" "the device clock is not set";
    8008 Notice RspServiceNotAllowed "rsp_service_not_allowed" "the caller's answer address is not one of its key statement's";
    8009 Notice StatementRefused "statement_refused" "a key statement was refused";
    8010 Notice AnswerIncomplete "answer_incomplete" "the service's answer was cut at the limit";
    8011 Notice ServiceFailedOver "service_failed_over" "a placement service failed and the next one was used";
    8012 Notice KeyUsageEncoding "key_usage_encoding" "a keyUsage is not in its shortest form";
    8013 Notice NullParameters "null_parameters" "a signature algorithm is followed by an explicit NULL";
    8014 Notice ConstraintsOnCa "constraints_on_ca" "claim constraints of a CA certificate were ignored";
    8015 Notice SpcUnusual "spc_unusual" "a service provider code has other characters than upper-case letters and digits";
    8016 Notice RcdNotChecked "rcd_not_checked" "content behind a URL of the rich call data was not fetched";
    8017 Notice RcdDigestMissing "rcd_digest_missing" "content behind a URL of the rich call data has no digest";
    8018 Notice MsgiIgnored "msgi_ignored" "msgi outside a msg PASSporT was ignored";
    8019 Notice BodyNotChecked "body_not_checked" "no message body was there to compare with msgi";
    8020 Notice SctUnknownLog "sct_unknown_log" "a signed certificate timestamp is by a log that is not configured";
    8021 Notice SctDeferred "sct_deferred" "signed certificate timestamps were left to a later audit";
    8022 Notice HeaderLong "header_long" "the header is too long for one datagram";
    8023 Notice ProfileSerial "profile_serial" "a serial number is shorter than the profile wants";
    8024 Notice ProfileSubject "profile_subject" "a subject name is not of the profile's form";
    8025 Notice ProfileExtensions "profile_extensions" "an extension the profile wants is missing, or one is critical that must not be";
    8026 Notice ProfilePolicy "profile_policy" "the certificate policy is missing or not the profile's";
    8027 Notice ProfileCrl "profile_crl" "the CRL distribution point is missing or not of the profile's form";
    8028 Notice ProfileTnAuthList "profile_tn_auth_list" "the TNAuthList is not the one provider code that the profile wants";
    8029 Notice CredentialExpiring "credential_expiring" "less than a third of the credential's life is left";
    8030 Notice RevocationNotChecked "revocation_not_checked" "revocation was not checked";
    8031 Notice ThirdPartyRcd "third_party_rcd" "rich call data by another party was not used";
    8032 Notice SctLate "sct_late" "a signed certificate timestamp is more than a day after the certificate's start";
    8033 Notice ProfileAlgorithm "profile_algorithm" "a certificate's key or signature is not of the profile's algorithm";
    8034 Notice KeysJustInTime "keys_just_in_time" "the called number's keys were looked up while the call waited";
    8035 Notice DirectConnection "direct_connection" "a service was asked directly, without the relay";
    8036 Notice ReaderAdded "reader_added" "another party can read calls to this number";
    8037 Notice StatementChainBroken "statement_chain_broken" "a key statement does not name the one that was known before it";
    8038 Notice ClassicalBesideHybrid "classical_beside_hybrid" "a recipient publishes a classical and a hybrid key at the same time";
    8039 Notice PriceRaised "price_raised" "the service asked more than one storage token for this store";
    8040 Notice GatewayKeysJustInTime "gateway_keys_just_in_time" "the gateway's keys were fetched while the call waited";
    8041 Notice StateReportLate "state_report_late" "a report of the call's state could not be sent in time";
    8042 Notice MediaNotChecked "media_not_checked" "a media key was announced and no fingerprint was given to compare it with";
    8043 Notice ClockUncertain "clock_uncertain" "the two clocks could not be compared well enough to compare answer times";
    8044 Notice TimesDiffer "times_differ" "the two sides report the same state at different times";
    8045 Notice CoverSkipped "cover_skipped" "cover traffic was due and left out: no budget or no power";
    8046 Notice CallbackNotProved "callback_not_proved" "a call-back was asked for a number whose control was not proved";
    8047 Notice CopiesDropped "copies_dropped" "a store of fewer copies than the called side has keys, as one of all costs too much";
}

impl Reason {
    /// The reason with this number, if one is registered.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.number() == number)
    }

    /// The reason with this name, if one is registered.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.name() == name)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}

impl core::error::Error for Reason {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Kind, Reason};

    #[test]
    fn every_code_is_unique_and_inside_the_block_of_its_kind() {
        let mut names = HashSet::new();
        let mut last = 0;
        for reason in Reason::ALL {
            assert!(names.insert(reason.name()), "{}", reason.name());
            assert!(reason.number() > last, "{} is out of order", reason.name());
            last = reason.number();
            let block = match reason.kind() {
                Kind::Malformed => 1,
                Kind::Untrusted => 2,
                Kind::Mismatch => 3,
                Kind::Stale => 4,
                Kind::Unavailable => 5,
                Kind::Misuse => 6,
                Kind::Internal => 7,
                Kind::Notice => 8,
            };
            assert_eq!(reason.number() / 1000, block, "{}", reason.name());
            assert_eq!(Reason::from_number(reason.number()), Some(*reason));
            assert_eq!(Reason::from_name(reason.name()), Some(*reason));
        }
    }

    #[test]
    fn texts_are_for_developers_and_carry_no_digits_of_a_call() {
        for reason in Reason::ALL {
            let text = reason.to_string();
            assert!(!text.ends_with('.'), "{text}");
            assert!(!text.is_empty());
        }
    }
}
