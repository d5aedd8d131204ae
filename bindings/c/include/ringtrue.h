/* RingTrue for C: a telephone proves who is calling (RFC 8816), in firmware that brings its own network.
 *
 * Generated from the sources by `cargo xtask bindings --language c`: do not edit. docs/firmware.md leads
 * from an empty folder to a verified call.
 *
 * A session is a conversation: verifying a call that rings, announcing one, publishing keys. The host asks
 * `ringtrue_session_next` what to do, does it, and hands what came of it to one of `ringtrue_input_…`. The
 * library opens no socket or file, starts no thread, reads no clock, keeps nothing global and never calls
 * back. Random octets come from the operating system's generator.
 *
 * Every function returns a code: RINGTRUE_RESULT_OK, a reason that all RingTrue libraries have, or a code
 * above 9000 of this interface. Outputs are written on success only. NULL, a freed session, the session of
 * another client, a wrong order and an oversized input each give their code and change nothing else; a
 * defect of the library gives RINGTRUE_RESULT_INTERNAL, and the session is gone. Only a pointer to a client
 * that was freed, and a length that is longer than its memory, cannot be found out.
 *
 * Threads: a client may be used from any thread, each of its sessions by one at a time; another one gets
 * RINGTRUE_RESULT_BUSY. `ringtrue_client_free` is for when nobody uses it any more.
 *
 * Memory: what is handed in is copied; what is handed out lives as its structure says; nothing is freed by
 * the host. Sessions, answers and records have limits (`ringtrue_config`). The library allocates with the
 * process's allocator, or with the firmware's (end of this file); where there is no memory the process ends.
 */

#ifndef RINGTRUE_H
#define RINGTRUE_H

#include <stddef.h>
#include <stdint.h>

/* Reasons: the same numbers in every language. */
/* not 1 to 15 characters out of 0-9 * # */
#define RINGTRUE_RESULT_MALFORMED_NUMBER 1001
/* not three base64url parts joined by dots */
#define RINGTRUE_RESULT_MALFORMED_TOKEN 1002
/* not the JSON that is expected here */
#define RINGTRUE_RESULT_MALFORMED_JSON 1003
/* a JSON object repeats a member */
#define RINGTRUE_RESULT_DUPLICATE_MEMBER 1004
/* longer than the limit for its kind */
#define RINGTRUE_RESULT_TOO_LONG 1005
/* nested deeper, or with longer arrays, than allowed */
#define RINGTRUE_RESULT_TOO_DEEP 1006
/* iat is not an integer number of seconds */
#define RINGTRUE_RESULT_IAT_NOT_NUMBER 1007
/* a required claim is missing or has the wrong form */
#define RINGTRUE_RESULT_MALFORMED_CLAIMS 1008
/* not 64 octets r then s inside the range */
#define RINGTRUE_RESULT_MALFORMED_SIGNATURE 1009
/* header or payload is not the deterministic JSON serialisation */
#define RINGTRUE_RESULT_NOT_CANONICAL 1010
/* not a certificate of the supported form */
#define RINGTRUE_RESULT_MALFORMED_CERTIFICATE 1011
/* the TNAuthList is not strict DER of the expected form */
#define RINGTRUE_RESULT_MALFORMED_TN_AUTH_LIST 1012
/* not a valid key of its suite */
#define RINGTRUE_RESULT_MALFORMED_KEY 1013
/* not a sealed PASSporT of a known version, suite and size class */
#define RINGTRUE_RESULT_MALFORMED_BLOB 1014
/* the sealed content is not the expected object */
#define RINGTRUE_RESULT_MALFORMED_CONTENT 1015
/* not a key statement of the expected form */
#define RINGTRUE_RESULT_MALFORMED_STATEMENT 1016
/* not an https URL of the allowed form */
#define RINGTRUE_RESULT_MALFORMED_URL 1017
/* the service's answer is not what the protocol says */
#define RINGTRUE_RESULT_MALFORMED_ANSWER 1018
/* alg is not ES256 */
#define RINGTRUE_RESULT_ALGORITHM_NOT_ALLOWED 1019
/* typ is not the one this token must have */
#define RINGTRUE_RESULT_TYPE_MISMATCH 1020
/* the header has no x5u */
#define RINGTRUE_RESULT_X5U_MISSING 1021
/* more certificates than a path may have */
#define RINGTRUE_RESULT_TOO_MANY_CERTIFICATES 1022
/* not PEM of the expected kind */
#define RINGTRUE_RESULT_MALFORMED_PEM 1023
/* a stored record cannot be read */
#define RINGTRUE_RESULT_MALFORMED_RECORD 1024
/* more blobs than one message may carry */
#define RINGTRUE_RESULT_TOO_MANY_BLOBS 1025
/* the media type is not the one this message must have */
#define RINGTRUE_RESULT_UNSUPPORTED_MEDIA_TYPE 1026
/* the token does not say when the call was originated */
#define RINGTRUE_RESULT_IAT_MISSING 1027
/* orig is not an object with exactly one tn or uri */
#define RINGTRUE_RESULT_MALFORMED_ORIG 1028
/* the token names no destination */
#define RINGTRUE_RESULT_DEST_MISSING 1029
/* dest is not an object of non-empty arrays named tn and uri */
#define RINGTRUE_RESULT_MALFORMED_DEST 1030
/* the values of a dest array are not in lexicographic order */
#define RINGTRUE_RESULT_DEST_NOT_SORTED 1031
/* attest is missing or not A, B or C */
#define RINGTRUE_RESULT_ATTEST_NOT_ALLOWED 1032
/* origid is missing or no UUID */
#define RINGTRUE_RESULT_MALFORMED_ORIGID 1033
/* div is missing or not one tn or uri */
#define RINGTRUE_RESULT_MALFORMED_DIV 1034
/* opt is missing or no PASSporT in full form */
#define RINGTRUE_RESULT_MALFORMED_OPT 1035
/* rph is missing or not an object of arrays of resource priorities */
#define RINGTRUE_RESULT_MALFORMED_RPH 1036
/* sph is there without an esnet priority, or is not psap-callback */
#define RINGTRUE_RESULT_SPH_NOT_ALLOWED 1037
/* mky is not a sorted array of fingerprints */
#define RINGTRUE_RESULT_MALFORMED_MKY 1038
/* not an algorithm, a hyphen and a base64 digest of its length */
#define RINGTRUE_RESULT_MALFORMED_DIGEST 1039
/* rich call data is missing or has the wrong form */
#define RINGTRUE_RESULT_MALFORMED_RCD 1040
/* not a jCard */
#define RINGTRUE_RESULT_MALFORMED_JCARD 1041
/* not an Identity header value */
#define RINGTRUE_RESULT_MALFORMED_IDENTITY_HEADER 1042
/* not a Reason header value */
#define RINGTRUE_RESULT_MALFORMED_REASON_HEADER 1043
/* not a certificate revocation list of the supported form */
#define RINGTRUE_RESULT_MALFORMED_CRL 1044
/* not a list of signed certificate timestamps */
#define RINGTRUE_RESULT_MALFORMED_SCT_LIST 1045
/* not a trust bundle of the expected form */
#define RINGTRUE_RESULT_MALFORMED_TRUST_BUNDLE 1046
/* not a certificate request of the expected form */
#define RINGTRUE_RESULT_MALFORMED_CERTIFICATE_REQUEST 1047
/* a token in compact form where the full form is required */
#define RINGTRUE_RESULT_COMPACT_FORM_NOT_ALLOWED 1048
/* ppt is not a string */
#define RINGTRUE_RESULT_MALFORMED_PPT 1049
/* not a SIP, SIPS or tel URI of the expected form */
#define RINGTRUE_RESULT_MALFORMED_URI 1050
/* the URI of the header's info is not in angle brackets */
#define RINGTRUE_RESULT_INFO_NOT_BRACKETED 1051
/* not a date of the form that SIP has */
#define RINGTRUE_RESULT_MALFORMED_DATE 1052
/* not a storage token, its key, counter or signature of the expected form */
#define RINGTRUE_RESULT_MALFORMED_STORAGE_TOKEN 1053
/* not a directory of token issuer keys of the expected form */
#define RINGTRUE_RESULT_MALFORMED_ISSUER_DIRECTORY 1054
/* not a token request, its authorization or its answer of the expected form */
#define RINGTRUE_RESULT_MALFORMED_TOKEN_REQUEST 1055
/* not a key configuration of an Oblivious HTTP gateway of the expected form */
#define RINGTRUE_RESULT_MALFORMED_GATEWAY_KEYS 1056
/* not an encapsulated or binary HTTP message of the expected form */
#define RINGTRUE_RESULT_MALFORMED_ENCAPSULATION 1057
/* no certificate path leads to a configured anchor */
#define RINGTRUE_RESULT_NO_PATH_TO_ANCHOR 2001
/* a certificate of the path has expired */
#define RINGTRUE_RESULT_CERTIFICATE_EXPIRED 2002
/* a certificate of the path is not valid yet */
#define RINGTRUE_RESULT_CERTIFICATE_NOT_YET_VALID 2003
/* the signature does not verify with the signer's key */
#define RINGTRUE_RESULT_SIGNATURE_INVALID 2004
/* an issuer in the path may not issue certificates */
#define RINGTRUE_RESULT_ISSUER_NOT_CA 2005
/* a path length constraint is exceeded */
#define RINGTRUE_RESULT_PATH_TOO_LONG 2006
/* the key usage does not allow this use */
#define RINGTRUE_RESULT_KEY_USAGE_MISSING 2007
/* the signer's TNAuthList does not cover the number */
#define RINGTRUE_RESULT_NUMBER_NOT_COVERED 2008
/* the signer's authority is by service provider code only */
#define RINGTRUE_RESULT_AUTHORITY_BY_SPC 2009
/* whether the issuer's scope holds the delegate's cannot be told */
#define RINGTRUE_RESULT_ENCOMPASS_UNKNOWN 2010
/* a delegate's scope is outside its issuer's */
#define RINGTRUE_RESULT_SCOPE_NOT_ENCOMPASSED 2011
/* no certificate of the signer is at hand */
#define RINGTRUE_RESULT_CREDENTIAL_UNAVAILABLE 2012
/* a CA certificate must not sign tokens */
#define RINGTRUE_RESULT_SIGNER_IS_CA 2013
/* the signer has no TNAuthList and so no authority over numbers */
#define RINGTRUE_RESULT_TN_AUTH_LIST_MISSING 2014
/* a certificate has a critical extension that is not supported */
#define RINGTRUE_RESULT_UNSUPPORTED_CRITICAL_EXTENSION 2015
/* a certificate's key or signature algorithm is not supported */
#define RINGTRUE_RESULT_UNSUPPORTED_CERTIFICATE_KEY 2016
/* the key statement has expired */
#define RINGTRUE_RESULT_STATEMENT_EXPIRED 2017
/* the key statement is from the future */
#define RINGTRUE_RESULT_STATEMENT_NOT_YET_VALID 2018
/* the key statement outlives its signer's certificate */
#define RINGTRUE_RESULT_STATEMENT_OUTLIVES_CERTIFICATE 2019
/* the key statement is older than one seen before */
#define RINGTRUE_RESULT_SEQUENCE_ROLLBACK 2020
/* two different key statements carry the same sequence number */
#define RINGTRUE_RESULT_EQUIVOCATION 2021
/* the certificate is not for this key */
#define RINGTRUE_RESULT_KEY_MISMATCH 2022
/* the key statement does not name the number */
#define RINGTRUE_RESULT_STATEMENT_NUMBER_MISSING 2023
/* the signer's certificate forbids what the token claims */
#define RINGTRUE_RESULT_CLAIM_CONSTRAINT_VIOLATED 2024
/* no certificate of an issuer in the path is at hand */
#define RINGTRUE_RESULT_CHAIN_INCOMPLETE 2025
/* the first certificate of the chain is not the signer's */
#define RINGTRUE_RESULT_SIGNER_NOT_FIRST 2026
/* an authority key identifier is not the issuer's subject key identifier */
#define RINGTRUE_RESULT_KEY_IDENTIFIER_MISMATCH 2027
/* a certificate of the path is revoked */
#define RINGTRUE_RESULT_CERTIFICATE_REVOKED 2028
/* the revocation list is not by a configured issuer */
#define RINGTRUE_RESULT_CRL_UNTRUSTED 2029
/* the signer's TNAuthList is by reference and was not fetched */
#define RINGTRUE_RESULT_AUTHORITY_UNKNOWN 2030
/* a signed certificate timestamp of a known log does not verify */
#define RINGTRUE_RESULT_SCT_INVALID 2031
/* too few valid signed certificate timestamps */
#define RINGTRUE_RESULT_SCT_MISSING 2032
/* the trust bundle is older than one accepted before */
#define RINGTRUE_RESULT_BUNDLE_ROLLBACK 2033
/* the trust bundle is not signed by the configured key */
#define RINGTRUE_RESULT_BUNDLE_UNTRUSTED 2034
/* a token issuer's key is not of the form, size or period that is required */
#define RINGTRUE_RESULT_ISSUER_KEY_UNUSABLE 2035
/* a token issuer shows different keys to different askers, or too many */
#define RINGTRUE_RESULT_ISSUER_INCONSISTENT 2036
/* a storage token's signature does not verify */
#define RINGTRUE_RESULT_TOKEN_INVALID 2037
/* a storage token was used before */
#define RINGTRUE_RESULT_TOKEN_SPENT 2038
/* a gateway shows different keys to different askers */
#define RINGTRUE_RESULT_GATEWAY_KEYS_INCONSISTENT 2039
/* the policy does not allow the signer of a key statement to read calls */
#define RINGTRUE_RESULT_READER_NOT_ALLOWED 2040
/* a state record does not open with the host's key */
#define RINGTRUE_RESULT_RECORD_NOT_OPENED 2041
/* two key directories show different statements of a number */
#define RINGTRUE_RESULT_DIRECTORY_INCONSISTENT 2042
/* orig is not the calling number */
#define RINGTRUE_RESULT_ORIG_MISMATCH 3001
/* dest does not hold the called number */
#define RINGTRUE_RESULT_DEST_MISMATCH 3002
/* the PASSporT was used for an earlier call */
#define RINGTRUE_RESULT_REPLAYED 3003
/* the caller has reported that this call attempt ended */
#define RINGTRUE_RESULT_CALLER_GONE 3004
/* another call from the same number is alerting */
#define RINGTRUE_RESULT_CONCURRENT_CALL 3005
/* the two sides report different call states or times */
#define RINGTRUE_RESULT_STATE_MISMATCH 3006
/* an rsp PASSporT outside an answer, or another type inside one */
#define RINGTRUE_RESULT_UNEXPECTED_RSP 3007
/* the content belongs to another call attempt */
#define RINGTRUE_RESULT_CALL_NONCE_MISMATCH 3008
/* the blob does not open with this key for this number */
#define RINGTRUE_RESULT_BLOB_NOT_OPENED 3009
/* the header's info is not the token's x5u */
#define RINGTRUE_RESULT_INFO_MISMATCH 3010
/* the header's alg or ppt is not the token's */
#define RINGTRUE_RESULT_HEADER_PARAMETER_MISMATCH 3011
/* no earlier token has the div as its destination */
#define RINGTRUE_RESULT_DIV_MISMATCH 3012
/* the tokens of a diversion chain differ in orig */
#define RINGTRUE_RESULT_DIV_ORIG_MISMATCH 3013
/* the diversions do not form one chain to an original token */
#define RINGTRUE_RESULT_DIV_CHAIN_INCOMPLETE 3014
/* more diversions than allowed, or one twice */
#define RINGTRUE_RESULT_DIV_TOO_DEEP 3015
/* the content is not what the digest was made over */
#define RINGTRUE_RESULT_DIGEST_MISMATCH 3016
/* the session's key fingerprints are not those of mky */
#define RINGTRUE_RESULT_MEDIA_MISMATCH 3017
/* the signalled priority is not the token's */
#define RINGTRUE_RESULT_PRIORITY_MISMATCH 3018
/* iat is further back than the freshness window */
#define RINGTRUE_RESULT_IAT_STALE 4001
/* iat is further ahead than the allowed clock skew */
#define RINGTRUE_RESULT_IAT_IN_FUTURE 4002
/* iat is outside the signer certificate's validity */
#define RINGTRUE_RESULT_IAT_OUTSIDE_CERTIFICATE 4003
/* the answer was signed before the call was announced */
#define RINGTRUE_RESULT_RSP_BEFORE_CALL 4004
/* the revocation list is past its next update */
#define RINGTRUE_RESULT_CRL_STALE 4005
/* the original token of a diversion is too old */
#define RINGTRUE_RESULT_INNER_STALE 4006
/* the trust bundle has expired */
#define RINGTRUE_RESULT_BUNDLE_EXPIRED 4007
/* the Date header is outside the freshness window */
#define RINGTRUE_RESULT_DATE_STALE 4008
/* the deadline passed first */
#define RINGTRUE_RESULT_DEADLINE_PASSED 5001
/* no connection to the service */
#define RINGTRUE_RESULT_SERVICE_UNREACHABLE 5002
/* the service's TLS certificate or handshake was not accepted */
#define RINGTRUE_RESULT_TLS_FAILED 5003
/* the service answered with an error */
#define RINGTRUE_RESULT_SERVICE_ERROR 5004
/* the service asks to try later */
#define RINGTRUE_RESULT_OVER_LIMIT 5005
/* the service wants a storage token */
#define RINGTRUE_RESULT_TOKEN_REQUIRED 5006
/* the service did not accept the storage token */
#define RINGTRUE_RESULT_TOKEN_REJECTED 5007
/* the answer is larger than its limit */
#define RINGTRUE_RESULT_ANSWER_TOO_LARGE 5008
/* the service redirects, which is not followed */
#define RINGTRUE_RESULT_REDIRECTED 5009
/* the address is not a public one */
#define RINGTRUE_RESULT_ADDRESS_NOT_ALLOWED 5010
/* no usable encryption key of the called party */
#define RINGTRUE_RESULT_NO_USABLE_KEY 5011
/* no placement service is known for the number */
#define RINGTRUE_RESULT_NO_PLACEMENT_SERVICE 5012
/* the signing key could not be used */
#define RINGTRUE_RESULT_SIGNER_FAILED 5013
/* the encryption key could not be used */
#define RINGTRUE_RESULT_KEY_AGREEMENT_FAILED 5014
/* the state store could not be read or written */
#define RINGTRUE_RESULT_STATE_UNAVAILABLE 5015
/* the platform's random generator failed */
#define RINGTRUE_RESULT_RANDOMNESS_UNAVAILABLE 5016
/* the key directory did not accept the statement */
#define RINGTRUE_RESULT_STATEMENT_REJECTED 5017
/* the key directory holds a newer statement of this signer */
#define RINGTRUE_RESULT_STATEMENT_SUPERSEDED 5018
/* the application gave the operation up */
#define RINGTRUE_RESULT_CANCELLED 5019
/* the content does not fit the size class */
#define RINGTRUE_RESULT_CONTENT_TOO_LONG 5020
/* this build does not seal or open the suite */
#define RINGTRUE_RESULT_SUITE_UNSUPPORTED 5021
/* fetching is switched off */
#define RINGTRUE_RESULT_FETCHING_OFF 5022
/* no current revocation list is at hand */
#define RINGTRUE_RESULT_CRL_UNAVAILABLE 5023
/* no storage token was at hand and none could be had in time */
#define RINGTRUE_RESULT_WALLET_EMPTY 5024
/* the token issuer gives this credential no more tokens today */
#define RINGTRUE_RESULT_OVER_QUOTA 5025
/* the relay or the gateway behind it did not carry the request */
#define RINGTRUE_RESULT_RELAY_FAILED 5026
/* the policy does not allow a direct connection for this and there is no relay */
#define RINGTRUE_RESULT_RELAY_REQUIRED 5027
/* the token issuer does not accept the credential */
#define RINGTRUE_RESULT_ISSUER_REFUSED 5028
/* the service asks more storage tokens for this store than the policy gives */
#define RINGTRUE_RESULT_PRICE_TOO_HIGH 5029
/* the number is not one of the endpoint's own */
#define RINGTRUE_RESULT_NUMBER_NOT_OWNED 6001
/* the configuration is incomplete or contradicts itself */
#define RINGTRUE_RESULT_CONFIGURATION_INVALID 6002
/* only a verified call can be answered */
#define RINGTRUE_RESULT_NOT_VERIFIED 6003
/* the caller did not ask for connected identity */
#define RINGTRUE_RESULT_RSP_NOT_REQUESTED 6004
/* the endpoint has no published encryption key */
#define RINGTRUE_RESULT_KEYS_NOT_PUBLISHED 6005
/* the session was given an event that it did not ask for */
#define RINGTRUE_RESULT_EVENT_UNEXPECTED 6006
/* the endpoint has no credential for the number */
#define RINGTRUE_RESULT_CREDENTIAL_MISSING 6007
/* a defect of this library */
#define RINGTRUE_RESULT_INTERNAL 7001
/* the calling number was withheld */
#define RINGTRUE_RESULT_CALLER_WITHHELD 8001
/* the content names another placement service than the one asked */
#define RINGTRUE_RESULT_CPS_MISMATCH 8002
/* the content was sealed by a key statement that is not one of ours */
#define RINGTRUE_RESULT_KSD_UNKNOWN 8003
/* a PASSporT of an unsupported type was ignored */
#define RINGTRUE_RESULT_PPT_UNSUPPORTED 8004
/* a storage token was fetched at dial time */
#define RINGTRUE_RESULT_TOKEN_JUST_IN_TIME 8005
/* more than eight keys: the newest eight are used */
#define RINGTRUE_RESULT_KEYS_TRUNCATED 8006
/* the device clock is not set */
#define RINGTRUE_RESULT_CLOCK_UNSET 8007
/* the caller's answer address is not one of its key statement's */
#define RINGTRUE_RESULT_RSP_SERVICE_NOT_ALLOWED 8008
/* a key statement was refused */
#define RINGTRUE_RESULT_STATEMENT_REFUSED 8009
/* the service's answer was cut at the limit */
#define RINGTRUE_RESULT_ANSWER_INCOMPLETE 8010
/* a placement service failed and the next one was used */
#define RINGTRUE_RESULT_SERVICE_FAILED_OVER 8011
/* a keyUsage is not in its shortest form */
#define RINGTRUE_RESULT_KEY_USAGE_ENCODING 8012
/* a signature algorithm is followed by an explicit NULL */
#define RINGTRUE_RESULT_NULL_PARAMETERS 8013
/* claim constraints of a CA certificate were ignored */
#define RINGTRUE_RESULT_CONSTRAINTS_ON_CA 8014
/* a service provider code has other characters than upper-case letters and digits */
#define RINGTRUE_RESULT_SPC_UNUSUAL 8015
/* content behind a URL of the rich call data was not fetched */
#define RINGTRUE_RESULT_RCD_NOT_CHECKED 8016
/* content behind a URL of the rich call data has no digest */
#define RINGTRUE_RESULT_RCD_DIGEST_MISSING 8017
/* msgi outside a msg PASSporT was ignored */
#define RINGTRUE_RESULT_MSGI_IGNORED 8018
/* no message body was there to compare with msgi */
#define RINGTRUE_RESULT_BODY_NOT_CHECKED 8019
/* a signed certificate timestamp is by a log that is not configured */
#define RINGTRUE_RESULT_SCT_UNKNOWN_LOG 8020
/* signed certificate timestamps were left to a later audit */
#define RINGTRUE_RESULT_SCT_DEFERRED 8021
/* the header is too long for one datagram */
#define RINGTRUE_RESULT_HEADER_LONG 8022
/* a serial number is shorter than the profile wants */
#define RINGTRUE_RESULT_PROFILE_SERIAL 8023
/* a subject name is not of the profile's form */
#define RINGTRUE_RESULT_PROFILE_SUBJECT 8024
/* an extension the profile wants is missing, or one is critical that must not be */
#define RINGTRUE_RESULT_PROFILE_EXTENSIONS 8025
/* the certificate policy is missing or not the profile's */
#define RINGTRUE_RESULT_PROFILE_POLICY 8026
/* the CRL distribution point is missing or not of the profile's form */
#define RINGTRUE_RESULT_PROFILE_CRL 8027
/* the TNAuthList is not the one provider code that the profile wants */
#define RINGTRUE_RESULT_PROFILE_TN_AUTH_LIST 8028
/* less than a third of the credential's life is left */
#define RINGTRUE_RESULT_CREDENTIAL_EXPIRING 8029
/* revocation was not checked */
#define RINGTRUE_RESULT_REVOCATION_NOT_CHECKED 8030
/* rich call data by another party was not used */
#define RINGTRUE_RESULT_THIRD_PARTY_RCD 8031
/* a signed certificate timestamp is more than a day after the certificate's start */
#define RINGTRUE_RESULT_SCT_LATE 8032
/* a certificate's key or signature is not of the profile's algorithm */
#define RINGTRUE_RESULT_PROFILE_ALGORITHM 8033
/* the called number's keys were looked up while the call waited */
#define RINGTRUE_RESULT_KEYS_JUST_IN_TIME 8034
/* a service was asked directly, without the relay */
#define RINGTRUE_RESULT_DIRECT_CONNECTION 8035
/* another party can read calls to this number */
#define RINGTRUE_RESULT_READER_ADDED 8036
/* a key statement does not name the one that was known before it */
#define RINGTRUE_RESULT_STATEMENT_CHAIN_BROKEN 8037
/* a recipient publishes a classical and a hybrid key at the same time */
#define RINGTRUE_RESULT_CLASSICAL_BESIDE_HYBRID 8038
/* the service asked more than one storage token for this store */
#define RINGTRUE_RESULT_PRICE_RAISED 8039
/* the gateway's keys were fetched while the call waited */
#define RINGTRUE_RESULT_GATEWAY_KEYS_JUST_IN_TIME 8040
/* a report of the call's state could not be sent in time */
#define RINGTRUE_RESULT_STATE_REPORT_LATE 8041
/* a media key was announced and no fingerprint was given to compare it with */
#define RINGTRUE_RESULT_MEDIA_NOT_CHECKED 8042
/* the two clocks could not be compared well enough to compare answer times */
#define RINGTRUE_RESULT_CLOCK_UNCERTAIN 8043
/* the two sides report the same state at different times */
#define RINGTRUE_RESULT_TIMES_DIFFER 8044
/* cover traffic was due and left out: no budget or no power */
#define RINGTRUE_RESULT_COVER_SKIPPED 8045
/* a call-back was asked for a number whose control was not proved */
#define RINGTRUE_RESULT_CALLBACK_NOT_PROVED 8046
/* a store of fewer copies than the called side has keys, as one of all costs too much */
#define RINGTRUE_RESULT_COPIES_DROPPED 8047


// The version of this interface: the major version times 65536, plus the minor version. A program that
// was compiled with one minor version works with every later one of the same major version.
#define RINGTRUE_ABI_VERSION 65536

// Send the request `http`. Answer with `ringtrue_input_response`, or `ringtrue_input_failure`.
#define RINGTRUE_ACTION_HTTP 1

// Sign with the credential's key. Answer with `ringtrue_input_signature`, or `ringtrue_input_failure`.
#define RINGTRUE_ACTION_SIGN 2

// Plain ECDH with the encryption key. Answer with `ringtrue_input_agreement`, or
// `ringtrue_input_failure`.
#define RINGTRUE_ACTION_AGREE 3

// Read a record. Answer with `ringtrue_input_loaded`, or `ringtrue_input_failure`.
#define RINGTRUE_ACTION_LOAD 4

// Write a record if it still holds what is expected, durably and in one step. Answer with
// `ringtrue_input_stored`, or `ringtrue_input_failure`.
#define RINGTRUE_ACTION_STORE 5

// Make a mark that must not exist yet, durably and in one step. Answer with `ringtrue_input_claimed`,
// or `ringtrue_input_failure`.
#define RINGTRUE_ACTION_CLAIM 6

// Nothing to start: ask again at `until_ms`, or when an answer was given, whichever is first.
#define RINGTRUE_ACTION_WAIT 7

// There is a verdict, or another one: `ringtrue_session_verdict`. Ask again then, the session goes on.
#define RINGTRUE_ACTION_REPORT 8

// The end. What was not answered need not be.
#define RINGTRUE_ACTION_DONE 9

// Roles of requests. Use connections and TLS sessions for one role only: a service must not be able to
// join what the protocol keeps apart. Reading what is the same for everybody.
#define RINGTRUE_ROLE_CONFIGURATION 1

// Getting storage tokens from their issuer.
#define RINGTRUE_ROLE_ISSUE 2

// Reading another party's keys.
#define RINGTRUE_ROLE_LOOKUP 3

// Publishing own keys.
#define RINGTRUE_ROLE_PUBLISH 4

// Reading the own mailbox.
#define RINGTRUE_ROLE_RETRIEVE 5

// Leaving something for another party.
#define RINGTRUE_ROLE_STORE 6

// The device clock is not set: nothing can be judged fresh.
#define RINGTRUE_VERDICT_CLOCK_UNSET 1

// Good evidence that another fact contradicts. Show as unverified, with a warning.
#define RINGTRUE_VERDICT_CONFLICTING 2

// Verified, and both sides see the same call.
#define RINGTRUE_VERDICT_CONFIRMED 3

// Nothing names this call. Not a sign of fraud.
#define RINGTRUE_VERDICT_NO_RECORD 4

// Something named this call and failed a check.
#define RINGTRUE_VERDICT_REFUSED 5

// The service could not be asked in time.
#define RINGTRUE_VERDICT_UNAVAILABLE 6

// The other side is who it says.
#define RINGTRUE_VERDICT_VERIFIED 7

// Steps of verification, in their order.
#define RINGTRUE_CHECK_PPT 1

// `orig` is the calling number.
#define RINGTRUE_CHECK_ORIG 2

// The signer's certificate leads to an anchor.
#define RINGTRUE_CHECK_CREDENTIAL 3

// The signer may speak for the number.
#define RINGTRUE_CHECK_AUTHORITY 4

// The time is inside the window.
#define RINGTRUE_CHECK_FRESHNESS 5

// The signature holds.
#define RINGTRUE_CHECK_SIGNATURE 6

// `dest` is the called number.
#define RINGTRUE_CHECK_DEST 7

// It was not used before.
#define RINGTRUE_CHECK_REPLAY 8

// Nothing else contradicts.
#define RINGTRUE_CHECK_STATE 9

// The step holds.
#define RINGTRUE_CHECK_PASSED 1

// The step does not hold.
#define RINGTRUE_CHECK_FAILED 2

// An earlier step failed.
#define RINGTRUE_CHECK_NOT_REACHED 3

// States of a call, in reports and in events. The called telephone rings.
#define RINGTRUE_CALL_ALERTING 1

// The call was answered.
#define RINGTRUE_CALL_ANSWERED 2

// The call ended; in a report, before it was answered.
#define RINGTRUE_CALL_ENDED 3

// For `ringtrue_place_begin`: ask the called side to show who answers. Needs published keys.
#define RINGTRUE_PLACE_WANT_ANSWER 1

// For `ringtrue_place_begin`: ask the key directory even if keys are at hand.
#define RINGTRUE_PLACE_FRESH_KEYS 2

// For `ringtrue_ring_begin` and `ringtrue_await_answer_begin`: go on until the call ends
// (`ringtrue_session_event`), and report when the verdict changes.
#define RINGTRUE_FOLLOW_CALL 1

// For `ringtrue_publish_begin`: make new keys; the ones before still open what is sealed to them.
#define RINGTRUE_PUBLISH_ROTATE 1

// Certificate profiles: RFC 8226 and RFC 9060 as they stand.
#define RINGTRUE_PROFILE_STIR 1

// Service providers' certificates as they are in use (ATIS-1000080).
#define RINGTRUE_PROFILE_SHAKEN 2

// Endpoints' certificates: every issuer below the anchor must state its scope.
#define RINGTRUE_PROFILE_DELEGATE 3

// Forms of a signature: a DER `ECDSA-Sig-Value`.
#define RINGTRUE_SIGNATURE_DER 1

// r then s, 32 octets each.
#define RINGTRUE_SIGNATURE_RAW 2

// How far an address reaches: the public internet.
#define RINGTRUE_REACH_PUBLIC 1

// Private, shared and unique-local addresses.
#define RINGTRUE_REACH_PRIVATE 2

// This machine.
#define RINGTRUE_REACH_LOOPBACK 3

// No place for a connection: link-local, multicast, reserved and the like.
#define RINGTRUE_REACH_NEVER 4

// The most reasons that a structure holds. The most telling are first; no session finds as many.
#define RINGTRUE_MAX_REASONS 24

// The number of steps of verification.
#define RINGTRUE_MAX_CHECKS 9

// The room for a number: 15 characters and a zero octet.
#define RINGTRUE_NUMBER_SIZE 16

// It was done.
#define RINGTRUE_RESULT_OK 0

// A pointer that must not be NULL is NULL, or a length does not go with its pointer.
#define RINGTRUE_RESULT_NULL_ARGUMENT 9001

// The client was freed, or the session was, or it is another client's: nothing was touched.
#define RINGTRUE_RESULT_STALE_HANDLE 9002

// Right for another kind of session or at another time: the verdict of a session that has none yet, an
// answer to a call that is not verified, a call event for a publication.
#define RINGTRUE_RESULT_WRONG_ORDER 9003

// The client has as many sessions as its configuration allows. Free one.
#define RINGTRUE_RESULT_TOO_MANY_SESSIONS 9004

// The program was compiled with a header of another major version than this library's.
#define RINGTRUE_RESULT_VERSION_MISMATCH 9005

// Another thread is using this session now. One thread at a time may.
#define RINGTRUE_RESULT_BUSY 9006

// A constant that this interface does not define: a flag, a state, a form, a code of a failure.
#define RINGTRUE_RESULT_UNKNOWN_VALUE 9007

// An endpoint: its numbers, its credential, whom it trusts, its sessions.
typedef struct ringtrue_client ringtrue_client;

// Text: UTF-8, with its length, not terminated. NULL and 0 is the empty text.
typedef struct ringtrue_text {
    // Where it begins.
    const char *data;
    // How many octets it has.
    size_t len;
} ringtrue_text;

// `RINGTRUE_RESULT_…`.
typedef uint32_t ringtrue_result;

// Octets with their number. NULL and 0 is none.
typedef struct ringtrue_octets {
    // Where they begin.
    const uint8_t *data;
    // How many there are.
    size_t len;
} ringtrue_octets;

// What a client is made from. Everything is copied. Fill it with zeros first, then set `size` and
// `abi_version` and what is needed.
typedef struct ringtrue_config {
    // `sizeof(ringtrue_config)`.
    size_t size;
    // `RINGTRUE_ABI_VERSION`.
    uint32_t abi_version;
    // 1: services may be asked directly, without a relay. They then see the address of this device
    // together with the numbers that it calls and is called at. Needed where `relay` is empty.
    uint32_t allow_direct;
    // The own telephone numbers: 1 to 32. Global (`+12025550143`), or as `country_code` says.
    const struct ringtrue_text *numbers;
    // How many there are.
    size_t numbers_len;
    // Base URLs of the own placement services, in order of preference: 1 to 4.
    const struct ringtrue_text *services;
    // How many there are.
    size_t services_len;
    // Base URL of the key directory; empty: the first service.
    struct ringtrue_text directory;
    // Base URL of the service where every announcement is left; empty: where the called side looks.
    struct ringtrue_text placement;
    // Base URL of the relay; empty: none.
    struct ringtrue_text relay;
    // How numbers are written here, for all that are given, as a line delivers them: the country code (`1`,
    // `44`). Empty: all are global, and nothing is guessed.
    struct ringtrue_text country_code;
    // With a country code: what precedes a national number (`0`, `1`); empty if nothing does.
    struct ringtrue_text trunk_prefix;
    // With a country code: what precedes one when dialling abroad (`00`, `011`).
    struct ringtrue_text international_prefix;
    // With a country code: how many digits national numbers have that come without the trunk prefix (10 in
    // North America); 0 where that does not occur.
    uint32_t national_digits;
    // The issuer whose storage tokens the own services want of callers, by the authority of its base URL;
    // empty: they want none.
    struct ringtrue_text token_issuer;
    // The STI roots that are believed, PEM, at most 256 KiB.
    struct ringtrue_text anchors_pem;
    // The own STIR certificate chain, PEM, signer first; empty: this client only verifies.
    struct ringtrue_text credential_chain_pem;
    // Where others find that chain: an https URL.
    struct ringtrue_text credential_x5u;
    // The credential's private key, PKCS#8 PEM, for devices that keep it in a file: signatures are made
    // inside and no SIGN action comes. Empty: the host signs.
    struct ringtrue_text credential_key_pem;
    // The public half of a P-256 key-agreement key in hardware, 65 octets (04, X, Y): AGREE actions come.
    // Empty: encryption keys are made here and kept in the host's records, sealed.
    struct ringtrue_octets agreement_public_key;
    // 32 secret octets that seal the records: from `ringtrue_random`, once, then kept by the host apart
    // from the records. With other octets the client does not understand its records and begins anew.
    struct ringtrue_octets state_key;
    // The most sessions at one time, 1 to 64; 0: 8.
    uint32_t max_sessions;
    // The most blobs of one answer that are tried, at most 256; 0: 22. With `max_answer_octets` this
    // bounds the memory of a session.
    uint32_t max_blobs;
    // The most octets of one answer, at most 1572864; 0: 120832. A mailbox that holds more is as good as
    // out of reach.
    uint32_t max_answer_octets;
    // Within how many milliseconds a verdict is due; 0: 2500. Adapters that delay the ring take 1500.
    uint32_t ring_deadline_ms;
    // Within how many milliseconds a call is announced; 0: 1500.
    uint32_t place_deadline_ms;
    // Within how many milliseconds an answer, or a report, is stored; 0: 2500.
    uint32_t answer_deadline_ms;
    // For how many milliseconds the called side's answer is waited for; 0: 30000.
    uint32_t await_answer_ms;
    // Within how many milliseconds keys are published or looked up; 0: 10000.
    uint32_t directory_deadline_ms;
    // The certificate profile that signers are held to: `RINGTRUE_PROFILE_…`; 0: STIR.
    uint32_t profile;
    // 1: no random delay, of 400 ms at most, before something is stored. The delay keeps whoever watches
    // both telephone and network from joining the two by the time; tests want none.
    uint32_t no_store_jitter;
} ringtrue_config;

// The time as the host knows it.
typedef struct ringtrue_time {
    // Milliseconds on a clock that never goes back (CLOCK_MONOTONIC). Deadlines and waits are on it.
    uint64_t monotonic_ms;
    // Milliseconds since 1970-01-01 00:00 UTC; 0 as long as nobody has set the clock.
    uint64_t unix_ms;
} ringtrue_time;

// Names a session of one client. 0 names none. After the session was freed it names nothing ever again.
typedef uint64_t ringtrue_session;

// A header field of a request or an answer.
typedef struct ringtrue_header {
    // Its name; in requests in lower case.
    struct ringtrue_text name;
    // Its value.
    struct ringtrue_text value;
} ringtrue_header;

// A request, to be sent as it is: TLS 1.3, no redirects followed, no cookies, no compression asked for, no
// header added that tells one device from another.
typedef struct ringtrue_http {
    // `GET`, `POST` or `PUT`.
    struct ringtrue_text method;
    // The https URL.
    struct ringtrue_text url;
    // The header fields.
    const struct ringtrue_header *headers;
    // How many there are.
    size_t headers_len;
    // The body; empty if there is none.
    struct ringtrue_octets body;
    // Stop reading the answer's body beyond this and answer with `RINGTRUE_RESULT_ANSWER_TOO_LARGE`.
    size_t max_answer_octets;
    // `RINGTRUE_ROLE_…`: which connections to use.
    uint32_t role;
} ringtrue_http;

// A record to read, write or mark.
typedef struct ringtrue_record {
    // Its name: at most 64 characters out of `A-Z a-z 0-9 - _`, good as a file name. Says nothing.
    struct ringtrue_text name;
    // STORE: what to write. Says nothing without the state key.
    struct ringtrue_octets value;
    // STORE: what the record must hold now, octet for octet.
    struct ringtrue_octets expected;
    // STORE: 0 if the record must not exist, 1 if it must hold `expected`.
    uint32_t must_exist;
    // CLAIM: the mark may be forgotten after this time, seconds since 1970.
    uint64_t expires_unix_s;
} ringtrue_record;

// What to do next. Only the members of its kind are set. Pointers are good until the next call with the
// same session, except that `ringtrue_session_verdict` and `ringtrue_session_outcome` leave them alone.
typedef struct ringtrue_action {
    // `RINGTRUE_ACTION_…`.
    uint32_t kind;
    // Goes back with the answer. Actions may be performed at the same time and answered in any order.
    uint32_t id;
    // WAIT: when to ask again. HTTP: when to give up with `RINGTRUE_RESULT_DEADLINE_PASSED`. On the
    // host's monotonic clock; UINT64_MAX is never.
    uint64_t until_ms;
    // HTTP.
    struct ringtrue_http http;
    // SIGN: what the signature (ECDSA with P-256) is over.
    struct ringtrue_octets message;
    // SIGN: the SHA-256 of the message, for key stores that take that: hash no further then.
    struct ringtrue_octets digest;
    // AGREE: the other point, 65 octets, checked to be on the curve.
    struct ringtrue_octets peer;
    // LOAD, STORE, CLAIM.
    struct ringtrue_record record;
} ringtrue_action;

// A step of verification.
typedef struct ringtrue_check {
    // `RINGTRUE_CHECK_PPT` to `RINGTRUE_CHECK_STATE`.
    uint32_t check;
    // `RINGTRUE_CHECK_PASSED`, `_FAILED` or `_NOT_REACHED`.
    uint32_t result;
    // Why it failed, else 0.
    uint32_t reason;
} ringtrue_check;

// Who is at the other end.
typedef struct ringtrue_verdict {
    // `RINGTRUE_VERDICT_…`.
    uint32_t verdict;
    // 1 if the person may be told that the other side is who it says, else 0.
    uint32_t is_good;
    // How many reasons there are.
    uint32_t reasons_len;
    // Why, as `RINGTRUE_RESULT_…`, the most telling first.
    uint32_t reasons[RINGTRUE_MAX_REASONS];
    // How many steps are listed: 9 or none.
    uint32_t checks_len;
    // The steps on the statement that decided, in order.
    struct ringtrue_check checks[RINGTRUE_MAX_CHECKS];
    // The calling number, digits, terminated; empty if it is withheld. As signalling gave it.
    char orig[RINGTRUE_NUMBER_SIZE];
    // The called number, digits, terminated; empty if it is not known which of the own ones it is.
    char dest[RINGTRUE_NUMBER_SIZE];
    // How many blobs came, dummies included.
    uint32_t blobs_received;
    // How many of them an own key opened.
    uint32_t blobs_opened;
    // Ring: 1 if the caller asked to know who answers (`ringtrue_answer_begin`).
    uint32_t wants_answer;
    // Await answer: what the called side says of its call, `RINGTRUE_CALL_…`; 0 if nothing.
    uint32_t other_state;
} ringtrue_verdict;

// What came of a session other than a verdict.
typedef struct ringtrue_outcome {
    // 1 if what was wanted was done: announced, answered, reported, published, learned, filled. A call that could
    // not be announced is dialled all the same.
    uint32_t done;
    // Place: copies that are stored. Report: services that hold it. Publish: own numbers whose entry is
    // current. Prefetch: parties that can read what is sealed for the number. Gateway: 1 if its keys are at
    // hand. Refill: tokens in stock.
    uint32_t count;
    // Answer: 1 if the caller had given up; its call is not the one that was answered.
    uint32_t caller_gone;
    // Publish: 1 if new keys were made.
    uint32_t rotated;
    // Publish: when the statement expires, seconds since 1970. Publish again before.
    uint64_t expires_unix_s;
    // How many reasons there are.
    uint32_t reasons_len;
    // Why not, or what else is worth knowing, as `RINGTRUE_RESULT_…`.
    uint32_t reasons[RINGTRUE_MAX_REASONS];
} ringtrue_outcome;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the interface that this library has: `RINGTRUE_ABI_VERSION` of its header.
uint32_t ringtrue_abi_version(void);

// The stable name of a result or reason, as all RingTrue libraries and the command have it
// (`malformed_number`); `unknown` for a number that is none. It is never freed.
struct ringtrue_text ringtrue_result_name(uint32_t code);

// The stable name of a verdict (`verified`); `unknown` for a number that is none. It is never freed.
struct ringtrue_text ringtrue_verdict_name(uint32_t verdict);

// Fills memory from the operating system's secure generator: for the state key. At most 4096 octets.
//
// Returns `RINGTRUE_RESULT_RANDOMNESS_UNAVAILABLE` if the generator fails, with nothing written that
// could be used.
ringtrue_result ringtrue_random(uint8_t *out,
                                size_t len);

// How far an IP address reaches: `RINGTRUE_REACH_…`. `address` is 4 or 16 octets in network order; anything
// else reaches nowhere.
//
// Addresses of services come from other parties' statements too. Connect to what is
// `RINGTRUE_REACH_PUBLIC`, after the name was resolved, and answer anything else with
// `RINGTRUE_RESULT_ADDRESS_NOT_ALLOWED`: a stranger must not make the device talk to its own network.
uint32_t ringtrue_address_reach(struct ringtrue_octets address);

// Makes a client. Opens nothing and starts nothing: keys are published by `ringtrue_publish_begin`.
//
// Returns `RINGTRUE_RESULT_VERSION_MISMATCH` if the program was compiled for another version,
// `RINGTRUE_RESULT_CONFIGURATION_INVALID`, `RINGTRUE_RESULT_RELAY_REQUIRED` without `relay` and
// `allow_direct`, `RINGTRUE_RESULT_KEY_MISMATCH`, or why a part cannot be read or the credential leads to
// no anchor.
ringtrue_result ringtrue_client_new(const struct ringtrue_config *config,
                                    struct ringtrue_time time,
                                    struct ringtrue_client **out);

// Frees a client with all its sessions, whatever they are doing, and sets the caller's pointer to NULL, so
// that freeing it again does nothing. No other thread may be using the client.
ringtrue_result ringtrue_client_free(struct ringtrue_client **client);

// Begins to verify a call that rings.
//
// `from` is the calling number as signalling gives it; empty if it is withheld, and what is no number
// counts as withheld. `to` is the called number, one of the own; empty if the host cannot tell which.
// `flags`: `RINGTRUE_FOLLOW_CALL` or 0. `within_ms`: when the verdict is due; 0 is the configuration's.
//
// Drive it until DONE also after the verdict was reported: the service must not see whether something
// was found. Free it when the call ended. Other sessions of the client may have to be asked again at
// once: two calls from one number change each other's verdict.
//
// Returns `RINGTRUE_RESULT_NUMBER_NOT_OWNED`, `RINGTRUE_RESULT_MALFORMED_NUMBER` for `to`, or
// `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
ringtrue_result ringtrue_ring_begin(const struct ringtrue_client *client,
                                    struct ringtrue_text from,
                                    struct ringtrue_text to,
                                    uint32_t flags,
                                    uint32_t within_ms,
                                    struct ringtrue_time time,
                                    ringtrue_session *out);

// Begins to announce a call. Dial when it is DONE, whatever came of it, and within 2 s.
//
// `from` is one of the own numbers. `flags`: `RINGTRUE_PLACE_WANT_ANSWER`, `RINGTRUE_PLACE_FRESH_KEYS`.
// Keep the session until the call ended: the next two functions need what it found.
//
// Returns `RINGTRUE_RESULT_MALFORMED_NUMBER`, `RINGTRUE_RESULT_NUMBER_NOT_OWNED`,
// `RINGTRUE_RESULT_RANDOMNESS_UNAVAILABLE` or `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
ringtrue_result ringtrue_place_begin(const struct ringtrue_client *client,
                                     struct ringtrue_text from,
                                     struct ringtrue_text to,
                                     uint32_t flags,
                                     uint32_t within_ms,
                                     struct ringtrue_time time,
                                     ringtrue_session *out);

// Begins to wait for the called side to show who it is, for the call that `placed` announced with
// `RINGTRUE_PLACE_WANT_ANSWER`. `flags`: `RINGTRUE_FOLLOW_CALL` or 0.
//
// Returns `RINGTRUE_RESULT_WRONG_ORDER` if `placed` is no announcement, is not done, or nothing is to be
// waited for.
ringtrue_result ringtrue_await_answer_begin(const struct ringtrue_client *client,
                                            ringtrue_session placed,
                                            uint32_t flags,
                                            uint32_t within_ms,
                                            struct ringtrue_time time,
                                            ringtrue_session *out);

// Begins to tell the called side what became of the call that `placed` announced: `state` is
// `RINGTRUE_CALL_ANSWERED`, or `RINGTRUE_CALL_ENDED` if it ended before it was answered. Call it at that
// moment: the called side relies on it to tell this call from one that only pretends to be it.
//
// Returns `RINGTRUE_RESULT_WRONG_ORDER` as `ringtrue_await_answer_begin`, or
// `RINGTRUE_RESULT_CONFIGURATION_INVALID` for another state.
ringtrue_result ringtrue_report_begin(const struct ringtrue_client *client,
                                      ringtrue_session placed,
                                      uint32_t state,
                                      struct ringtrue_time time,
                                      ringtrue_session *out);

// Begins to show the caller who is here, for the call that `ring` verified; only if the user or the
// device's policy allows it. `state` is `RINGTRUE_CALL_ALERTING` or `RINGTRUE_CALL_ANSWERED`; the second
// is also the event that the call was answered.
//
// Returns `RINGTRUE_RESULT_NOT_VERIFIED` without a good verdict, `RINGTRUE_RESULT_RSP_NOT_REQUESTED` if
// the caller did not ask, `RINGTRUE_RESULT_CONFIGURATION_INVALID` for another state, or
// `RINGTRUE_RESULT_WRONG_ORDER` if `ring` has no verdict or is no call that rings.
ringtrue_result ringtrue_answer_begin(const struct ringtrue_client *client,
                                      ringtrue_session ring,
                                      uint32_t state,
                                      uint32_t within_ms,
                                      struct ringtrue_time time,
                                      ringtrue_session *out);

// Begins to publish the own encryption keys, making them first where there are none or their statement
// is in the last third of its life. At start and then some times a day. `flags`:
// `RINGTRUE_PUBLISH_ROTATE` or 0.
ringtrue_result ringtrue_publish_begin(const struct ringtrue_client *client,
                                       uint32_t flags,
                                       uint32_t within_ms,
                                       struct ringtrue_time time,
                                       ringtrue_session *out);

// Begins to learn the keys of a number ahead of a call, so that placing one takes a single request.
//
// Returns `RINGTRUE_RESULT_MALFORMED_NUMBER` or `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
ringtrue_result ringtrue_prefetch_begin(const struct ringtrue_client *client,
                                        struct ringtrue_text to,
                                        uint32_t within_ms,
                                        struct ringtrue_time time,
                                        ringtrue_session *out);

// Begins to learn the keys of a service's gateway behind the relay, so that a call does not have to wait
// for them: with a relay, whenever keys are published, for each own service. `service` is a base URL; empty: the key
// directory. Without a relay the outcome is that nothing was learned.
//
// Returns `RINGTRUE_RESULT_MALFORMED_URL` or `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
ringtrue_result ringtrue_gateway_begin(const struct ringtrue_client *client,
                                       struct ringtrue_text service,
                                       uint32_t within_ms,
                                       struct ringtrue_time time,
                                       ringtrue_session *out);

// Begins to fill a wallet with storage tokens, for services that take announcements with tokens only. `of`
// is a session that is done and used tokens or will: an announcement, a prefetch, an answer. `index` is 0 for
// its first wallet, and so on until `RINGTRUE_RESULT_WRONG_ORDER` says that there are no more.
//
// Call it some random minutes after a call, never because somebody is about to dial: the issuer would
// learn when. The outcome's `count` is how many tokens are in stock.
//
// Returns `RINGTRUE_RESULT_CLOCK_UNSET` or `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
ringtrue_result ringtrue_refill_begin(const struct ringtrue_client *client,
                                      ringtrue_session of,
                                      uint32_t index,
                                      uint32_t within_ms,
                                      struct ringtrue_time time,
                                      ringtrue_session *out);

// What to do next. Ask again after every action that was started, after every answer, at the time of a
// WAIT, and after an event. A short piece of work (some milliseconds; an answer of the mailbox takes the
// longest); never blocks.
//
// After DONE it is DONE for ever. Returns `RINGTRUE_RESULT_STALE_HANDLE` or `RINGTRUE_RESULT_BUSY`.
ringtrue_result ringtrue_session_next(const struct ringtrue_client *client,
                                      ringtrue_session session,
                                      struct ringtrue_time time,
                                      struct ringtrue_action *out);

// Tells a session of a call (`ringtrue_ring_begin`, `ringtrue_await_answer_begin`) what happened to the
// call: `RINGTRUE_CALL_ANSWERED` or `RINGTRUE_CALL_ENDED`. Ask it again then.
//
// Returns `RINGTRUE_RESULT_WRONG_ORDER` for another session or after the end, `RINGTRUE_RESULT_UNKNOWN_VALUE`
// for another event. To say again that the call was answered does nothing.
ringtrue_result ringtrue_session_event(const struct ringtrue_client *client,
                                       ringtrue_session session,
                                       uint32_t state,
                                       struct ringtrue_time time);

// The verdict of a session that verifies, as of now: after REPORT or DONE.
//
// Returns `RINGTRUE_RESULT_WRONG_ORDER` before, or for another session.
ringtrue_result ringtrue_session_verdict(const struct ringtrue_client *client,
                                         ringtrue_session session,
                                         struct ringtrue_verdict *out);

// What came of a session that does not verify: after DONE.
//
// Returns `RINGTRUE_RESULT_WRONG_ORDER` before, or for another session.
ringtrue_result ringtrue_session_outcome(const struct ringtrue_client *client,
                                         ringtrue_session session,
                                         struct ringtrue_outcome *out);

// Frees a session at any time. What it asked for need not be answered; its call has ended.
//
// Returns `RINGTRUE_RESULT_STALE_HANDLE` if it was freed before.
ringtrue_result ringtrue_session_free(const struct ringtrue_client *client,
                                      ringtrue_session session);

// Answers an HTTP action: status, header fields, body without transfer coding. Whatever the status:
// errors of the service are the session's business.
//
// Returns `RINGTRUE_RESULT_ANSWER_TOO_LARGE` for a body beyond the action's limit; the session takes that
// as a failure. `RINGTRUE_RESULT_EVENT_UNEXPECTED` if no such action is open; so do all functions below.
ringtrue_result ringtrue_input_response(const struct ringtrue_client *client,
                                        ringtrue_session session,
                                        uint32_t action,
                                        uint32_t status,
                                        const struct ringtrue_header *headers,
                                        size_t headers_len,
                                        struct ringtrue_octets body,
                                        struct ringtrue_time time);

// Answers a SIGN action. `form` is `RINGTRUE_SIGNATURE_DER` or `RINGTRUE_SIGNATURE_RAW`. A signature that
// is not by the credential's key ends the session with `RINGTRUE_RESULT_SIGNER_FAILED` or the like.
ringtrue_result ringtrue_input_signature(const struct ringtrue_client *client,
                                         ringtrue_session session,
                                         uint32_t action,
                                         uint32_t form,
                                         struct ringtrue_octets signature,
                                         struct ringtrue_time time);

// Answers an AGREE action: the X coordinate, 32 octets, without any key derivation.
ringtrue_result ringtrue_input_agreement(const struct ringtrue_client *client,
                                         ringtrue_session session,
                                         uint32_t action,
                                         struct ringtrue_octets shared,
                                         struct ringtrue_time time);

// Answers a LOAD action: `exists` is 1 and `value` what the record holds, or 0 if there is none.
//
// Returns `RINGTRUE_RESULT_TOO_LONG` for more than any session writes; the session takes that as a store
// that failed.
ringtrue_result ringtrue_input_loaded(const struct ringtrue_client *client,
                                      ringtrue_session session,
                                      uint32_t action,
                                      uint32_t exists,
                                      struct ringtrue_octets value,
                                      struct ringtrue_time time);

// Answers a STORE action: `written` is 1 if it was written and will survive a power cut, 0 if the record
// did not hold what was expected.
ringtrue_result ringtrue_input_stored(const struct ringtrue_client *client,
                                      ringtrue_session session,
                                      uint32_t action,
                                      uint32_t written,
                                      struct ringtrue_time time);

// Answers a CLAIM action: `first` is 1 if the mark was made now and will survive a power cut, 0 if it was
// there.
ringtrue_result ringtrue_input_claimed(const struct ringtrue_client *client,
                                       ringtrue_session session,
                                       uint32_t action,
                                       uint32_t first,
                                       struct ringtrue_time time);

// Answers any action that could not be performed. `code` says why: `RINGTRUE_RESULT_SERVICE_UNREACHABLE`,
// `_TLS_FAILED`, `_ANSWER_TOO_LARGE`, `_REDIRECTED`, `_ADDRESS_NOT_ALLOWED` or `_DEADLINE_PASSED` for HTTP,
// `_SIGNER_FAILED`, `_KEY_AGREEMENT_FAILED`, `_STATE_UNAVAILABLE` for the others; it ends up among the
// reasons. Any code from 5000 to 5999 is taken.
ringtrue_result ringtrue_input_failure(const struct ringtrue_client *client,
                                       ringtrue_session session,
                                       uint32_t action,
                                       uint32_t code,
                                       struct ringtrue_time time);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RINGTRUE_H */

/* Only with the library's feature `host-allocator`: the firmware defines both, and all memory of the
 * library comes from them. Called from the threads that call the library, and from no other. */

/* Gives `size` octets aligned to `alignment`, a power of two, or NULL: then the process ends. */
void *ringtrue_host_alloc(size_t size, size_t alignment);
/* Takes back what `ringtrue_host_alloc` gave for the same size and alignment. */
void ringtrue_host_free(void *memory, size_t size, size_t alignment);
