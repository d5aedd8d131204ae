/* Calls in any order with any arguments, many thousand times: codes come back, nothing else happens. Run under
 * AddressSanitizer. Takes the folder of a laboratory, the time in milliseconds and a seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ringtrue.h"

#define CALLS 20000
#define HANDLES 16

static uint64_t state;

/* SplitMix64: the same calls for the same seed. */
static uint64_t any(void) {
    uint64_t mixed = (state += 0x9e3779b97f4a7c15u);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

static uint32_t below(uint32_t limit) {
    return (uint32_t)(any() % limit);
}

static ringtrue_text text_of(const char *text) {
    ringtrue_text result = {text, strlen(text)};
    return result;
}

static ringtrue_text any_number(void) {
    static const char *const numbers[] = {"+12025550143", "12025550143", "12025550199", "", "call me",
                                          "+1 202 555 0199", "*#06#", "00000000000000000000"};
    return text_of(numbers[below(8)]);
}

static ringtrue_octets any_octets(uint8_t *room, size_t size) {
    ringtrue_octets octets = {room, any() % size};
    size_t at;
    for (at = 0; at < octets.len; at += 1 + below(64)) {
        room[at] = (uint8_t)any();
    }
    if (below(16) == 0) {
        octets.data = NULL;
    }
    return octets;
}

static char *read_file(const char *folder, const char *name) {
    char path[1024], *octets = (char *)calloc(1, 65536);
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL || octets == NULL || fread(octets, 1, 65535, file) == 0) {
        printf("cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    return octets;
}

static ringtrue_result begin(ringtrue_client *client, ringtrue_session held, ringtrue_time now,
                             ringtrue_session *out) {
    uint32_t within = below(2) * below(5000), flags = below(4);
    switch (below(9)) {
    case 0:
        return ringtrue_ring_begin(client, any_number(), any_number(), flags, within, now, out);
    case 1:
        return ringtrue_place_begin(client, any_number(), any_number(), flags, within, now, out);
    case 2:
        return ringtrue_await_answer_begin(client, held, flags, within, now, out);
    case 3:
        return ringtrue_report_begin(client, held, below(5), now, out);
    case 4:
        return ringtrue_answer_begin(client, held, below(5), within, now, out);
    case 5:
        return ringtrue_publish_begin(client, flags, within, now, out);
    case 7:
        return ringtrue_refill_begin(client, held, below(3), within, now, out);
    case 6:
        return ringtrue_gateway_begin(client, text_of(below(2) ? "https://cps.example" : "cps"),
                                      within, now, out);
    default:
        return ringtrue_prefetch_begin(client, any_number(), within, now, out);
    }
}

static void input(ringtrue_client *client, ringtrue_session session, uint32_t action,
                  ringtrue_time now, uint8_t *room, size_t size) {
    ringtrue_header header;
    ringtrue_octets octets = any_octets(room, size);
    header.name = text_of("content-type");
    header.value = text_of(below(2) ? "application/passport" : "application/json");
    switch (below(7)) {
    case 0:
        ringtrue_input_response(client, session, action, below(2) ? 200 : below(700), &header,
                                below(2), octets, now);
        break;
    case 1:
        ringtrue_input_signature(client, session, action, below(4), octets, now);
        break;
    case 2:
        ringtrue_input_agreement(client, session, action, octets, now);
        break;
    case 3:
        ringtrue_input_loaded(client, session, action, below(3), octets, now);
        break;
    case 4:
        ringtrue_input_stored(client, session, action, below(3), now);
        break;
    case 5:
        ringtrue_input_claimed(client, session, action, below(3), now);
        break;
    default:
        ringtrue_input_failure(client, session, action, 5000 + below(40), now);
        break;
    }
}

int main(int argc, char **argv) {
    ringtrue_text number = text_of("+12025550143"), service = text_of("https://cps.example");
    ringtrue_session handles[HANDLES] = {0};
    uint8_t key[32] = {1}, *room = (uint8_t *)calloc(1, 70000);
    char *anchors, *chain;
    ringtrue_client *client = NULL;
    ringtrue_config config;
    ringtrue_time now = {1000, 0};
    unsigned long call, successes = 0;
    if (argc != 4 || room == NULL) {
        return 2;
    }
    anchors = read_file(argv[1], "root.pem");
    chain = read_file(argv[1], "12025550143/chain.pem");
    now.unix_ms = strtoull(argv[2], NULL, 10);
    state = strtoull(argv[3], NULL, 10);
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.abi_version = RINGTRUE_ABI_VERSION;
    config.allow_direct = 1;
    config.numbers = &number;
    config.numbers_len = 1;
    config.services = &service;
    config.services_len = 1;
    config.anchors_pem = text_of(anchors);
    config.credential_chain_pem = text_of(chain);
    config.credential_x5u = text_of("https://certs.example/chain.pem");
    config.state_key.data = key;
    config.state_key.len = sizeof key;
    config.profile = RINGTRUE_PROFILE_DELEGATE;
    for (call = 0; call < CALLS; call++) {
        ringtrue_session *handle = &handles[below(HANDLES)];
        ringtrue_session session = below(32) == 0 ? any() : *handle;
        ringtrue_action action;
        ringtrue_verdict verdict;
        ringtrue_outcome outcome;
        ringtrue_time at = now;
        now.monotonic_ms += below(50);
        if (below(64) == 0) {
            at.monotonic_ms = any(); /* a clock that jumps, or goes back */
            at.unix_ms = below(2) * any();
        }
        if (client == NULL || below(2000) == 0) {
            ringtrue_client_free(&client);
            if (ringtrue_client_new(&config, now, &client) != RINGTRUE_RESULT_OK) {
                return 1;
            }
        }
        switch (below(8)) {
        case 0:
            successes += begin(client, session, at, handle) == RINGTRUE_RESULT_OK;
            break;
        case 1:
            ringtrue_session_verdict(client, session, &verdict);
            break;
        case 2:
            ringtrue_session_outcome(client, session, &outcome);
            break;
        case 3:
            ringtrue_session_event(client, session, below(5), at);
            break;
        case 4:
            if (below(4) == 0) {
                ringtrue_session_free(client, session);
            }
            break;
        case 5:
            input(client, session, below(12), at, room, 70000);
            break;
        default:
            if (ringtrue_session_next(client, session, at, &action) == RINGTRUE_RESULT_OK &&
                below(4) != 0) {
                input(client, session, action.id, at, room, 70000);
            }
            break;
        }
    }
    ringtrue_client_free(&client);
    free(anchors);
    free(chain);
    free(room);
    printf("%d calls, %lu sessions\n", CALLS, successes);
    return successes > 0 ? 0 : 1;
}
