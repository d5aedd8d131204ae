/* What a careless caller does. Every call gives its documented code and none crashes: run under
 * AddressSanitizer and valgrind. Takes the folder of a laboratory and the number of one of its telephones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ringtrue.h"

static int failures = 0, checks = 0;

static void expect(const char *what, unsigned long found, unsigned long wanted) {
    checks++;
    if (found != wanted) {
        ringtrue_text name = ringtrue_result_name((uint32_t)found);
        failures++;
        printf("FAILED %s: %lu (%.*s), not %lu\n", what, found, (int)name.len, name.data, wanted);
    }
}

#define EXPECT(call, code) expect(#call, (unsigned long)(call), (unsigned long)(code))

static const ringtrue_time NOW = {1000, 1800000000000u};
static const ringtrue_text NONE = {NULL, 0};

static ringtrue_text text_of(const char *text) {
    ringtrue_text result = {text, strlen(text)};
    return result;
}

static char *read_file(const char *folder, const char *name) {
    char path[1024];
    char *octets = (char *)calloc(1, 65536);
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL || octets == NULL || fread(octets, 1, 65535, file) == 0) {
        printf("FAILED to read %s\n", path);
        exit(1);
    }
    fclose(file);
    return octets;
}

struct parts {
    ringtrue_text number, service;
    char *anchors, *chain, *key;
    uint8_t state_key[32];
};

static ringtrue_config config_of(struct parts *parts) {
    ringtrue_config config;
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.abi_version = RINGTRUE_ABI_VERSION;
    config.allow_direct = 1;
    config.numbers = &parts->number;
    config.numbers_len = 1;
    config.services = &parts->service;
    config.services_len = 1;
    config.anchors_pem = text_of(parts->anchors);
    config.credential_chain_pem = text_of(parts->chain);
    config.credential_key_pem = text_of(parts->key);
    config.credential_x5u = text_of("https://certs.example/chain.pem");
    config.state_key.data = parts->state_key;
    config.state_key.len = 32;
    config.profile = RINGTRUE_PROFILE_DELEGATE;
    return config;
}

static ringtrue_result make(const ringtrue_config *config, ringtrue_time now) {
    ringtrue_client *client = NULL;
    ringtrue_result code = ringtrue_client_new(config, now, &client);
    if ((code == RINGTRUE_RESULT_OK) != (client != NULL)) {
        failures++;
        printf("FAILED: an output without success, or the reverse\n");
    }
    ringtrue_client_free(&client);
    return code;
}

static void configurations(struct parts *parts, ringtrue_time now) {
    ringtrue_config config = config_of(parts);
    ringtrue_client *client = NULL;
    struct {
        ringtrue_config config;
        uint64_t later;
    } longer;
    char *huge = (char *)malloc(300000);
    EXPECT(make(&config, now), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_client_new(NULL, now, &client), RINGTRUE_RESULT_NULL_ARGUMENT);
    EXPECT(ringtrue_client_new(&config, now, NULL), RINGTRUE_RESULT_NULL_ARGUMENT);
    config.size = 0;
    EXPECT(make(&config, now), RINGTRUE_RESULT_VERSION_MISMATCH);
    config.size = sizeof config - 1;
    EXPECT(make(&config, now), RINGTRUE_RESULT_VERSION_MISMATCH);
    config.size = (size_t)-1;
    EXPECT(make(&config, now), RINGTRUE_RESULT_VERSION_MISMATCH);
    config = config_of(parts);
    config.abi_version += 0x10000;
    EXPECT(make(&config, now), RINGTRUE_RESULT_VERSION_MISMATCH);
    /* A program of a later minor version: what it does not set is no matter, what it sets is. */
    memset(&longer, 0, sizeof longer);
    longer.config = config_of(parts);
    longer.config.size = sizeof longer;
    longer.config.abi_version++;
    EXPECT(make(&longer.config, now), RINGTRUE_RESULT_OK);
    longer.later = 1;
    EXPECT(make(&longer.config, now), RINGTRUE_RESULT_VERSION_MISMATCH);
    config = config_of(parts);
    config.numbers = NULL;
    EXPECT(make(&config, now), RINGTRUE_RESULT_NULL_ARGUMENT);
    config = config_of(parts);
    config.anchors_pem.data = NULL;
    EXPECT(make(&config, now), RINGTRUE_RESULT_NULL_ARGUMENT);
    config = config_of(parts);
    config.numbers_len = 0;
    EXPECT(make(&config, now), RINGTRUE_RESULT_CONFIGURATION_INVALID);
    config = config_of(parts);
    config.numbers_len = 1000000;
    EXPECT(make(&config, now), RINGTRUE_RESULT_TOO_LONG);
    config = config_of(parts);
    config.services_len = 0;
    EXPECT(make(&config, now), RINGTRUE_RESULT_CONFIGURATION_INVALID);
    config = config_of(parts);
    config.anchors_pem = NONE;
    EXPECT(make(&config, now) != RINGTRUE_RESULT_OK, 1);
    config = config_of(parts);
    config.allow_direct = 0;
    EXPECT(make(&config, now), RINGTRUE_RESULT_RELAY_REQUIRED);
    config.allow_direct = 7;
    EXPECT(make(&config, now), RINGTRUE_RESULT_UNKNOWN_VALUE);
    config = config_of(parts);
    config.national_digits = 10; /* of which country? */
    EXPECT(make(&config, now), RINGTRUE_RESULT_CONFIGURATION_INVALID);
    config = config_of(parts);
    config.profile = 99;
    EXPECT(make(&config, now), RINGTRUE_RESULT_UNKNOWN_VALUE);
    config = config_of(parts);
    config.state_key.len = 31;
    EXPECT(make(&config, now), RINGTRUE_RESULT_CONFIGURATION_INVALID);
    config = config_of(parts);
    config.max_sessions = 65;
    EXPECT(make(&config, now), RINGTRUE_RESULT_CONFIGURATION_INVALID);
    config = config_of(parts);
    config.max_answer_octets = 1572865;
    EXPECT(make(&config, now), RINGTRUE_RESULT_CONFIGURATION_INVALID);
    config = config_of(parts);
    config.credential_chain_pem = NONE;
    EXPECT(make(&config, now), RINGTRUE_RESULT_CONFIGURATION_INVALID);
    config = config_of(parts);
    config.credential_x5u = text_of("http://certs.example/chain.pem");
    EXPECT(make(&config, now), RINGTRUE_RESULT_MALFORMED_URL);
    if (huge != NULL) {
        memset(huge, 'x', 300000);
        config = config_of(parts);
        config.anchors_pem.data = huge;
        config.anchors_pem.len = 300000;
        EXPECT(make(&config, now), RINGTRUE_RESULT_TOO_LONG);
        huge[0] = (char)0xff; /* no UTF-8 */
        config.anchors_pem.len = 100;
        EXPECT(make(&config, now), RINGTRUE_RESULT_CONFIGURATION_INVALID);
    }
    free(huge);
}

static void addresses(void) {
    static const uint8_t public_v4[] = {93, 184, 215, 14}, private_v4[] = {192, 168, 1, 1},
                         loopback_v4[] = {127, 0, 0, 1}, metadata[] = {169, 254, 169, 254},
                         loopback_v6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    ringtrue_octets address = {public_v4, 4};
    EXPECT(ringtrue_address_reach(address), RINGTRUE_REACH_PUBLIC);
    address.len = 3;
    EXPECT(ringtrue_address_reach(address), RINGTRUE_REACH_NEVER);
    address.len = SIZE_MAX;
    EXPECT(ringtrue_address_reach(address), RINGTRUE_REACH_NEVER);
    address.data = private_v4;
    address.len = 4;
    EXPECT(ringtrue_address_reach(address), RINGTRUE_REACH_PRIVATE);
    address.data = loopback_v4;
    EXPECT(ringtrue_address_reach(address), RINGTRUE_REACH_LOOPBACK);
    address.data = metadata;
    EXPECT(ringtrue_address_reach(address), RINGTRUE_REACH_NEVER);
    address.data = NULL;
    EXPECT(ringtrue_address_reach(address), RINGTRUE_REACH_NEVER);
    address.data = loopback_v6;
    address.len = 16;
    EXPECT(ringtrue_address_reach(address), RINGTRUE_REACH_LOOPBACK);
}

static void nothing_anywhere(ringtrue_client *client, ringtrue_time now) {
    ringtrue_session session = 0;
    ringtrue_octets none = {NULL, 0};
    ringtrue_text own = text_of("+12025550143");
    const uint32_t null = RINGTRUE_RESULT_NULL_ARGUMENT;
    EXPECT(ringtrue_client_free(NULL), null);
    EXPECT(ringtrue_ring_begin(NULL, own, NONE, 0, 0, now, &session), null);
    EXPECT(ringtrue_ring_begin(client, own, NONE, 0, 0, now, NULL), null);
    EXPECT(ringtrue_place_begin(NULL, own, own, 0, 0, now, &session), null);
    EXPECT(ringtrue_place_begin(client, own, own, 0, 0, now, NULL), null);
    EXPECT(ringtrue_await_answer_begin(NULL, 1, 0, 0, now, &session), null);
    EXPECT(ringtrue_await_answer_begin(client, 1, 0, 0, now, NULL), null);
    EXPECT(ringtrue_report_begin(NULL, 1, 2, now, &session), null);
    EXPECT(ringtrue_report_begin(client, 1, 2, now, NULL), null);
    EXPECT(ringtrue_answer_begin(NULL, 1, 2, 0, now, &session), null);
    EXPECT(ringtrue_answer_begin(client, 1, 2, 0, now, NULL), null);
    EXPECT(ringtrue_publish_begin(NULL, 0, 0, now, &session), null);
    EXPECT(ringtrue_publish_begin(client, 0, 0, now, NULL), null);
    EXPECT(ringtrue_prefetch_begin(NULL, own, 0, now, &session), null);
    EXPECT(ringtrue_prefetch_begin(client, own, 0, now, NULL), null);
    EXPECT(ringtrue_gateway_begin(NULL, NONE, 0, now, &session), null);
    EXPECT(ringtrue_gateway_begin(client, NONE, 0, now, NULL), null);
    EXPECT(ringtrue_refill_begin(NULL, 1, 0, 0, now, &session), null);
    EXPECT(ringtrue_refill_begin(client, 1, 0, 0, now, NULL), null);
    EXPECT(ringtrue_session_next(NULL, 1, now, NULL), null);
    EXPECT(ringtrue_session_next(client, 1, now, NULL), null);
    EXPECT(ringtrue_session_event(NULL, 1, 2, now), null);
    EXPECT(ringtrue_session_verdict(NULL, 1, NULL), null);
    EXPECT(ringtrue_session_verdict(client, 1, NULL), null);
    EXPECT(ringtrue_session_outcome(NULL, 1, NULL), null);
    EXPECT(ringtrue_session_outcome(client, 1, NULL), null);
    EXPECT(ringtrue_session_free(NULL, 1), null);
    EXPECT(ringtrue_input_response(NULL, 1, 1, 200, NULL, 0, none, now), null);
    EXPECT(ringtrue_input_signature(NULL, 1, 1, 1, none, now), null);
    EXPECT(ringtrue_input_agreement(NULL, 1, 1, none, now), null);
    EXPECT(ringtrue_input_loaded(NULL, 1, 1, 0, none, now), null);
    EXPECT(ringtrue_input_stored(NULL, 1, 1, 1, now), null);
    EXPECT(ringtrue_input_claimed(NULL, 1, 1, 1, now), null);
    EXPECT(ringtrue_input_failure(NULL, 1, 1, 5001, now), null);
    EXPECT(ringtrue_random(NULL, 32), null);
    EXPECT(session, 0);
}

static void handles(ringtrue_client *client, ringtrue_client *other, ringtrue_time now) {
    ringtrue_session session = 0, later = 0;
    ringtrue_action action;
    ringtrue_verdict verdict;
    ringtrue_outcome outcome;
    const uint32_t stale = RINGTRUE_RESULT_STALE_HANDLE;
    uint64_t foreign[32];
    ringtrue_client *no_client = (ringtrue_client *)(void *)foreign;
    unsigned index;
    memset(foreign, 0x5a, sizeof foreign);
    EXPECT(ringtrue_publish_begin(no_client, 0, 0, now, &session), stale);
    EXPECT(ringtrue_client_free(&no_client), stale);
    EXPECT(ringtrue_publish_begin(client, 0, 0, now, &session), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_session_next(other, session, now, &action), stale);
    EXPECT(ringtrue_session_free(other, session), stale);
    EXPECT(ringtrue_session_next(client, session ^ 1, now, &action), stale);
    EXPECT(ringtrue_session_next(client, 0, now, &action), stale);
    EXPECT(ringtrue_session_next(client, UINT64_MAX, now, &action), stale);
    EXPECT(ringtrue_session_free(client, session), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_session_free(client, session), stale);
    EXPECT(ringtrue_session_next(client, session, now, &action), stale);
    EXPECT(ringtrue_session_verdict(client, session, &verdict), stale);
    EXPECT(ringtrue_session_outcome(client, session, &outcome), stale);
    EXPECT(ringtrue_session_event(client, session, RINGTRUE_CALL_ENDED, now), stale);
    EXPECT(ringtrue_input_stored(client, session, 1, 1, now), stale);
    /* The same place is used again: the old handle still names nothing. */
    EXPECT(ringtrue_publish_begin(client, 0, 0, now, &later), RINGTRUE_RESULT_OK);
    EXPECT(session == later, 0);
    EXPECT(ringtrue_session_next(client, session, now, &action), stale);
    EXPECT(ringtrue_session_free(client, later), RINGTRUE_RESULT_OK);
    for (index = 0; index < 8; index++) {
        EXPECT(ringtrue_publish_begin(client, 0, 0, now, &later), RINGTRUE_RESULT_OK);
    }
    EXPECT(ringtrue_publish_begin(client, 0, 0, now, &session), RINGTRUE_RESULT_TOO_MANY_SESSIONS);
    EXPECT(ringtrue_session_free(client, later), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_publish_begin(client, 0, 0, now, &session), RINGTRUE_RESULT_OK);
    /* Seven sessions are left midway: the client frees them. */
}

static void wrong_order(ringtrue_client *client, ringtrue_time now) {
    ringtrue_session ring, place, publish, session = 0;
    ringtrue_action action;
    ringtrue_verdict verdict;
    ringtrue_outcome outcome;
    uint8_t octets[64] = {0};
    ringtrue_octets some = {octets, sizeof octets}, huge = {octets, SIZE_MAX};
    ringtrue_octets nowhere = {NULL, 5};
    const uint32_t order = RINGTRUE_RESULT_WRONG_ORDER;
    const uint32_t unexpected = RINGTRUE_RESULT_EVENT_UNEXPECTED;
    const uint32_t unknown = RINGTRUE_RESULT_UNKNOWN_VALUE;
    ringtrue_text own = text_of("+12025550143"), other = text_of("12025550199");
    ringtrue_text wrong = text_of("call me"), long_text = text_of(
        "+1202555014311111111111111111111111111111111111111111111111111111111111111");
    EXPECT(ringtrue_ring_begin(client, other, wrong, 0, 0, now, &session),
           RINGTRUE_RESULT_MALFORMED_NUMBER);
    EXPECT(ringtrue_ring_begin(client, other, long_text, 0, 0, now, &session),
           RINGTRUE_RESULT_MALFORMED_NUMBER);
    EXPECT(ringtrue_ring_begin(client, own, other, 0, 0, now, &session),
           RINGTRUE_RESULT_NUMBER_NOT_OWNED);
    EXPECT(ringtrue_ring_begin(client, own, own, 6, 0, now, &session), unknown);
    EXPECT(ringtrue_place_begin(client, other, own, 0, 0, now, &session),
           RINGTRUE_RESULT_NUMBER_NOT_OWNED);
    EXPECT(ringtrue_place_begin(client, own, wrong, 0, 0, now, &session),
           RINGTRUE_RESULT_MALFORMED_NUMBER);
    EXPECT(ringtrue_place_begin(client, own, other, 4, 0, now, &session), unknown);
    EXPECT(ringtrue_publish_begin(client, 2, 0, now, &session), unknown);
    EXPECT(ringtrue_gateway_begin(client, text_of("cps.example"), 0, now, &session),
           RINGTRUE_RESULT_MALFORMED_URL);
    EXPECT(session, 0);

    EXPECT(ringtrue_ring_begin(client, other, own, 0, 0, now, &ring), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_session_verdict(client, ring, &verdict), order);
    EXPECT(ringtrue_session_outcome(client, ring, &outcome), order);
    EXPECT(ringtrue_answer_begin(client, ring, RINGTRUE_CALL_ANSWERED, 0, now, &session), order);
    EXPECT(ringtrue_await_answer_begin(client, ring, 0, 0, now, &session), order);
    EXPECT(ringtrue_report_begin(client, ring, RINGTRUE_CALL_ENDED, now, &session), order);
    EXPECT(ringtrue_session_event(client, ring, RINGTRUE_CALL_ALERTING, now), unknown);
    EXPECT(ringtrue_session_event(client, ring, 77, now), unknown);
    EXPECT(ringtrue_input_stored(client, ring, 1, 1, now), unexpected);
    EXPECT(ringtrue_session_event(client, ring, RINGTRUE_CALL_ANSWERED, now), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_session_event(client, ring, RINGTRUE_CALL_ANSWERED, now), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_session_event(client, ring, RINGTRUE_CALL_ENDED, now), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_session_event(client, ring, RINGTRUE_CALL_ENDED, now), order);
    EXPECT(ringtrue_session_event(client, ring, RINGTRUE_CALL_ANSWERED, now), order);
    EXPECT(ringtrue_place_begin(client, own, other, 0, 0, now, &place), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_await_answer_begin(client, place, 0, 0, now, &session), order);
    EXPECT(ringtrue_refill_begin(client, place, 0, 0, now, &session), order);
    EXPECT(ringtrue_report_begin(client, place, 9, now, &session), unknown);
    EXPECT(ringtrue_session_event(client, place, RINGTRUE_CALL_ENDED, now), order);

    /* Publishing begins with reading a record. */
    EXPECT(ringtrue_publish_begin(client, 0, 0, now, &publish), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_session_next(client, publish, now, &action), RINGTRUE_RESULT_OK);
    EXPECT(action.kind, RINGTRUE_ACTION_LOAD);
    EXPECT(action.record.name.len > 0 && action.record.name.len <= 64, 1);
    EXPECT(ringtrue_input_stored(client, publish, action.id, 1, now), unexpected);
    EXPECT(ringtrue_input_claimed(client, publish, action.id, 1, now), unexpected);
    EXPECT(ringtrue_input_agreement(client, publish, action.id, some, now), unexpected);
    EXPECT(ringtrue_input_signature(client, publish, action.id, 3, some, now), unknown);
    EXPECT(ringtrue_input_signature(client, publish, action.id, 1, some, now), unexpected);
    EXPECT(ringtrue_input_signature(client, publish, action.id, 1, huge, now),
           RINGTRUE_RESULT_TOO_LONG);
    EXPECT(ringtrue_input_response(client, publish, action.id, 200, NULL, 0, some, now), unexpected);
    EXPECT(ringtrue_input_response(client, publish, action.id, 200, NULL, 3, some, now),
           RINGTRUE_RESULT_NULL_ARGUMENT);
    EXPECT(ringtrue_input_response(client, publish, action.id, 42, NULL, 0, some, now), unknown);
    EXPECT(ringtrue_input_loaded(client, publish, action.id + 1, 0, some, now), unexpected);
    EXPECT(ringtrue_input_loaded(client, publish, action.id, 2, some, now), unknown);
    EXPECT(ringtrue_input_loaded(client, publish, action.id, 1, nowhere, now),
           RINGTRUE_RESULT_NULL_ARGUMENT);
    EXPECT(ringtrue_input_failure(client, publish, action.id, 0, now), unknown);
    EXPECT(ringtrue_input_failure(client, publish, action.id, 1001, now), unknown);
    EXPECT(ringtrue_input_failure(client, publish, action.id, 123456, now), unknown);
    /* The right kind and far too much: told, and the session ends with a failed store. */
    EXPECT(ringtrue_input_loaded(client, publish, action.id, 1, huge, now), RINGTRUE_RESULT_TOO_LONG);
    EXPECT(ringtrue_input_loaded(client, publish, action.id, 0, some, now), unexpected);
    EXPECT(ringtrue_session_next(client, publish, now, &action), RINGTRUE_RESULT_OK);
    EXPECT(action.kind, RINGTRUE_ACTION_DONE);
    EXPECT(ringtrue_session_next(client, publish, now, &action), RINGTRUE_RESULT_OK);
    EXPECT(action.kind, RINGTRUE_ACTION_DONE);
    EXPECT(ringtrue_session_outcome(client, publish, &outcome), RINGTRUE_RESULT_OK);
    EXPECT(outcome.done, 0);
    EXPECT(outcome.reasons_len, 1);
    EXPECT(outcome.reasons[0], RINGTRUE_RESULT_STATE_UNAVAILABLE);
    EXPECT(ringtrue_session_verdict(client, publish, &verdict), order);

    /* A record that is none of ours is not overwritten. */
    EXPECT(ringtrue_session_free(client, publish), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_publish_begin(client, 0, 0, now, &publish), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_session_next(client, publish, now, &action), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_input_loaded(client, publish, action.id, 1, some, now), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_session_next(client, publish, now, &action), RINGTRUE_RESULT_OK);
    EXPECT(action.kind, RINGTRUE_ACTION_DONE);
    EXPECT(ringtrue_session_outcome(client, publish, &outcome), RINGTRUE_RESULT_OK);
    EXPECT(outcome.reasons[0], RINGTRUE_RESULT_RECORD_NOT_OPENED);
}

/* A service that sends more than it may. */
static void oversized(ringtrue_client *client, ringtrue_time now) {
    ringtrue_session ring;
    ringtrue_action action;
    ringtrue_verdict verdict;
    uint8_t *octets = (uint8_t *)calloc(1, 2000000);
    ringtrue_octets body = {octets, 2000000};
    unsigned polls = 0, index;
    int is_told = 0;
    if (octets == NULL) {
        exit(1);
    }
    EXPECT(ringtrue_ring_begin(client, text_of("12025550199"), text_of("12025550143"), 0, 0, now, &ring),
           RINGTRUE_RESULT_OK);
    for (;;) {
        EXPECT(ringtrue_session_next(client, ring, now, &action), RINGTRUE_RESULT_OK);
        if (action.kind == RINGTRUE_ACTION_DONE) {
            break;
        } else if (action.kind == RINGTRUE_ACTION_WAIT) {
            now.monotonic_ms = action.until_ms;
        } else if (action.kind == RINGTRUE_ACTION_LOAD) {
            EXPECT(ringtrue_input_loaded(client, ring, action.id, 0, body, now), RINGTRUE_RESULT_OK);
        } else if (action.kind == RINGTRUE_ACTION_HTTP) {
            /* One octet beyond the action's limit, and far beyond every limit. */
            body.len = polls++ == 0 ? action.http.max_answer_octets + 1 : 2000000;
            EXPECT(ringtrue_input_response(client, ring, action.id, 200, NULL, 0, body, now),
                   RINGTRUE_RESULT_ANSWER_TOO_LARGE);
        }
    }
    EXPECT(polls > 1, 1);
    EXPECT(ringtrue_session_verdict(client, ring, &verdict), RINGTRUE_RESULT_OK);
    EXPECT(verdict.verdict, RINGTRUE_VERDICT_UNAVAILABLE);
    EXPECT(verdict.is_good, 0);
    for (index = 0; index < verdict.reasons_len; index++) {
        is_told = is_told || verdict.reasons[index] == RINGTRUE_RESULT_ANSWER_TOO_LARGE;
    }
    EXPECT(is_told, 1);
    EXPECT(ringtrue_session_free(client, ring), RINGTRUE_RESULT_OK);
    free(octets);
}

int main(int argc, char **argv) {
    struct parts parts;
    ringtrue_client *client = NULL, *other = NULL, *same;
    ringtrue_config config;
    ringtrue_time now = NOW;
    uint8_t random[64] = {0}, zeros[64] = {0};
    ringtrue_text name;
    if (argc != 3) {
        printf("misuse FOLDER UNIX_MS\n");
        return 2;
    }
    /* The laboratory's certificates are of today. */
    now.unix_ms = strtoull(argv[2], NULL, 10);
    memset(&parts, 0, sizeof parts);
    parts.number = text_of("+12025550143");
    parts.service = text_of("https://cps.example");
    parts.anchors = read_file(argv[1], "root.pem");
    parts.chain = read_file(argv[1], "12025550143/chain.pem");
    parts.key = read_file(argv[1], "12025550143/key.pem");

    EXPECT(ringtrue_abi_version(), RINGTRUE_ABI_VERSION);
    EXPECT(ringtrue_random(random, sizeof random), RINGTRUE_RESULT_OK);
    EXPECT(memcmp(random, zeros, sizeof random) != 0, 1);
    EXPECT(ringtrue_random(random, 4097), RINGTRUE_RESULT_TOO_LONG);
    name = ringtrue_result_name(424242);
    EXPECT(name.len == 7 && memcmp(name.data, "unknown", 7) == 0, 1);
    name = ringtrue_result_name(RINGTRUE_RESULT_STALE_HANDLE);
    EXPECT(name.len == 12 && memcmp(name.data, "stale_handle", 12) == 0, 1);
    name = ringtrue_verdict_name(RINGTRUE_VERDICT_VERIFIED);
    EXPECT(name.len == 8 && memcmp(name.data, "verified", 8) == 0, 1);
    name = ringtrue_verdict_name(0);
    EXPECT(name.len == 7 && memcmp(name.data, "unknown", 7) == 0, 1);

    addresses();
    configurations(&parts, now);
    config = config_of(&parts);
    EXPECT(ringtrue_client_new(&config, now, &client), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_client_new(&config, now, &other), RINGTRUE_RESULT_OK);
    nothing_anywhere(client, now);
    wrong_order(client, now);
    oversized(client, now);
    EXPECT(ringtrue_client_free(&client), RINGTRUE_RESULT_OK);
    EXPECT(client == NULL, 1);
    EXPECT(ringtrue_client_free(&client), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_client_new(&config, now, &client), RINGTRUE_RESULT_OK);
    handles(client, other, now);
    same = client;
    EXPECT(ringtrue_client_free(&same), RINGTRUE_RESULT_OK);
    EXPECT(ringtrue_client_free(&other), RINGTRUE_RESULT_OK);
    free(parts.anchors);
    free(parts.chain);
    free(parts.key);
    printf("%d checks, %d failures\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
