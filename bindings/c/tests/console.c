/* The C interface, line by line: reads a command, calls the function that it names, prints the code and what
 * came of it. Whoever writes the lines is the device: its clock, its network, its keys and its records
 * (test_scenario_files.py). Texts and octets are hexadecimal, `-` is empty. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ringtrue.h"

#define MAX_WORDS 64
#define LINE 8388608

static ringtrue_client *client = NULL;
static ringtrue_time now;
static char *words[MAX_WORDS];
static size_t words_len;

static int digit(char character) {
    const char *digits = "0123456789abcdef", *found = strchr(digits, character);
    return found == NULL || character == '\0' ? 0 : (int)(found - digits);
}

static char *word(size_t at) {
    static char empty[] = "-";
    return at < words_len ? words[at] : empty;
}

static unsigned long long number(size_t at) {
    return strtoull(word(at), NULL, 10);
}

/* Decodes a word in place. */
static ringtrue_octets octets_of(char *text) {
    ringtrue_octets result = {(const uint8_t *)text, 0};
    if (strcmp(text, "-") == 0) {
        result.data = NULL;
        return result;
    }
    for (; text[2 * result.len] != '\0'; result.len++) {
        int octet = digit(text[2 * result.len]) * 16 + digit(text[2 * result.len + 1]);
        ((uint8_t *)text)[result.len] = (uint8_t)octet;
    }
    return result;
}

static ringtrue_octets octets(size_t at) {
    return octets_of(word(at));
}

static ringtrue_text text_of(char *word) {
    ringtrue_octets raw = octets_of(word);
    ringtrue_text result = {(const char *)raw.data, raw.len};
    return result;
}

static ringtrue_text text(size_t at) {
    return text_of(word(at));
}

static void print_octets(const void *data, size_t len) {
    size_t at;
    printf(len == 0 ? " -" : " ");
    for (at = 0; at < len; at++) {
        printf("%02x", ((const uint8_t *)data)[at]);
    }
}

/* new NUMBERS SERVICES DIRECTORY PLACEMENT ANCHORS CHAIN X5U AGREEMENT STATE_KEY PROFILE DIRECT NO_JITTER
 * where the first two are lists with commas. */
static ringtrue_result make(void) {
    ringtrue_text lists[2][4];
    size_t lengths[2] = {0, 0}, list;
    ringtrue_config config;
    for (list = 0; list < 2; list++) {
        char *part = strtok(word(1 + list), ",");
        for (; part != NULL && lengths[list] < 4; part = strtok(NULL, ",")) {
            lists[list][lengths[list]++] = text_of(part);
        }
    }
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.abi_version = RINGTRUE_ABI_VERSION;
    config.numbers = lists[0];
    config.numbers_len = lengths[0];
    config.services = lists[1];
    config.services_len = lengths[1];
    config.directory = text(3);
    config.placement = text(4);
    config.anchors_pem = text(5);
    config.credential_chain_pem = text(6);
    config.credential_x5u = text(7);
    config.agreement_public_key = octets(8);
    config.state_key = octets(9);
    config.profile = (uint32_t)number(10);
    config.allow_direct = (uint32_t)number(11);
    config.no_store_jitter = (uint32_t)number(12);
    return ringtrue_client_new(&config, now, &client);
}

static void print_action(const ringtrue_action *action) {
    const ringtrue_http *http = &action->http;
    size_t at;
    printf(" %u %u %llu", action->kind, action->id, (unsigned long long)action->until_ms);
    switch (action->kind) {
    case RINGTRUE_ACTION_HTTP:
        print_octets(http->method.data, http->method.len);
        print_octets(http->url.data, http->url.len);
        print_octets(http->body.data, http->body.len);
        printf(" %zu %u", http->max_answer_octets, http->role);
        for (at = 0; at < http->headers_len; at++) {
            print_octets(http->headers[at].name.data, http->headers[at].name.len);
            print_octets(http->headers[at].value.data, http->headers[at].value.len);
        }
        break;
    case RINGTRUE_ACTION_SIGN:
        print_octets(action->message.data, action->message.len);
        print_octets(action->digest.data, action->digest.len);
        break;
    case RINGTRUE_ACTION_AGREE:
        print_octets(action->peer.data, action->peer.len);
        break;
    case RINGTRUE_ACTION_LOAD:
    case RINGTRUE_ACTION_STORE:
    case RINGTRUE_ACTION_CLAIM:
        print_octets(action->record.name.data, action->record.name.len);
        printf(" %u", action->record.must_exist);
        print_octets(action->record.expected.data, action->record.expected.len);
        print_octets(action->record.value.data, action->record.value.len);
        break;
    default:
        break;
    }
}

static void print_reasons(const uint32_t *reasons, uint32_t len) {
    uint32_t at;
    for (at = 0; at < len; at++) {
        ringtrue_text name = ringtrue_result_name(reasons[at]);
        printf(" %.*s=%u", (int)name.len, name.data, reasons[at]);
    }
}

static void print_verdict(const ringtrue_verdict *verdict) {
    ringtrue_text name = ringtrue_verdict_name(verdict->verdict);
    uint32_t at, failed = 0;
    for (at = 0; at < verdict->checks_len; at++) {
        if (verdict->checks[at].result == RINGTRUE_CHECK_FAILED && failed == 0) {
            failed = verdict->checks[at].check;
        }
    }
    printf(" %.*s %u %u %u %u", (int)name.len, name.data, verdict->is_good, failed,
           verdict->blobs_received, verdict->blobs_opened);
    print_reasons(verdict->reasons, verdict->reasons_len);
}

static void print_outcome(const ringtrue_outcome *outcome) {
    printf(" %u %u %u %u %llu", outcome->done, outcome->count, outcome->caller_gone, outcome->rotated,
           (unsigned long long)outcome->expires_unix_s);
    print_reasons(outcome->reasons, outcome->reasons_len);
}

/* A session begins: its code and its handle. */
static void begin(void) {
    ringtrue_session session = 0, other = number(1);
    ringtrue_result code = RINGTRUE_RESULT_UNKNOWN_VALUE;
    const char *kind = word(0);
    if (strcmp(kind, "ring") == 0) {
        code = ringtrue_ring_begin(client, text(1), text(2), (uint32_t)number(3), (uint32_t)number(4),
                                   now, &session);
    } else if (strcmp(kind, "place") == 0) {
        code = ringtrue_place_begin(client, text(1), text(2), (uint32_t)number(3),
                                    (uint32_t)number(4), now, &session);
    } else if (strcmp(kind, "publish") == 0) {
        code = ringtrue_publish_begin(client, (uint32_t)number(1), (uint32_t)number(2), now, &session);
    } else if (strcmp(kind, "prefetch") == 0) {
        code = ringtrue_prefetch_begin(client, text(1), (uint32_t)number(2), now, &session);
    } else if (strcmp(kind, "answer") == 0) {
        code = ringtrue_answer_begin(client, other, (uint32_t)number(2), (uint32_t)number(3), now,
                                     &session);
    } else if (strcmp(kind, "await") == 0) {
        code = ringtrue_await_answer_begin(client, other, (uint32_t)number(2), (uint32_t)number(3),
                                           now, &session);
    } else if (strcmp(kind, "report") == 0) {
        code = ringtrue_report_begin(client, other, (uint32_t)number(2), now, &session);
    }
    printf("%u %llu", code, (unsigned long long)session);
}

static void respond(ringtrue_session session, uint32_t action) {
    ringtrue_header headers[MAX_WORDS / 2];
    size_t headers_len = 0, at;
    for (at = 5; at + 1 < words_len; at += 2) {
        headers[headers_len].name = text(at);
        headers[headers_len++].value = text(at + 1);
    }
    printf("%u", ringtrue_input_response(client, session, action, (uint32_t)number(3), headers,
                                         headers_len, octets(4), now));
}

/* What concerns one session. */
static void of_session(void) {
    ringtrue_session session = number(1);
    uint32_t action = (uint32_t)number(2), code = 0;
    const char *verb = word(0);
    ringtrue_action next;
    ringtrue_verdict verdict;
    ringtrue_outcome outcome;
    if (strcmp(verb, "next") == 0) {
        code = ringtrue_session_next(client, session, now, &next);
        printf("%u", code);
        if (code == RINGTRUE_RESULT_OK) {
            print_action(&next);
        }
    } else if (strcmp(verb, "verdict") == 0) {
        code = ringtrue_session_verdict(client, session, &verdict);
        printf("%u", code);
        if (code == RINGTRUE_RESULT_OK) {
            print_verdict(&verdict);
        }
    } else if (strcmp(verb, "outcome") == 0) {
        code = ringtrue_session_outcome(client, session, &outcome);
        printf("%u", code);
        if (code == RINGTRUE_RESULT_OK) {
            print_outcome(&outcome);
        }
    } else if (strcmp(verb, "response") == 0) {
        respond(session, action);
    } else if (strcmp(verb, "signature") == 0) {
        printf("%u", ringtrue_input_signature(client, session, action, RINGTRUE_SIGNATURE_RAW,
                                              octets(3), now));
    } else if (strcmp(verb, "agreement") == 0) {
        printf("%u", ringtrue_input_agreement(client, session, action, octets(3), now));
    } else if (strcmp(verb, "loaded") == 0) {
        printf("%u", ringtrue_input_loaded(client, session, action, (uint32_t)number(3), octets(4), now));
    } else if (strcmp(verb, "stored") == 0) {
        printf("%u", ringtrue_input_stored(client, session, action, (uint32_t)number(3), now));
    } else if (strcmp(verb, "claimed") == 0) {
        printf("%u", ringtrue_input_claimed(client, session, action, (uint32_t)number(3), now));
    } else if (strcmp(verb, "failure") == 0) {
        printf("%u", ringtrue_input_failure(client, session, action, (uint32_t)number(3), now));
    } else if (strcmp(verb, "event") == 0) {
        printf("%u", ringtrue_session_event(client, session, action, now));
    } else if (strcmp(verb, "free") == 0) {
        printf("%u", ringtrue_session_free(client, session));
    } else {
        begin();
    }
}

int main(void) {
    char *line = (char *)malloc(LINE), *part;
    ringtrue_text name;
    if (line == NULL) {
        return 1;
    }
    memset(&now, 0, sizeof now);
    while (fgets(line, LINE, stdin) != NULL) {
        words_len = 0;
        line[strcspn(line, "\n")] = '\0';
        for (part = strtok(line, " "); part != NULL && words_len < MAX_WORDS; part = strtok(NULL, " ")) {
            words[words_len++] = part;
        }
        if (strcmp(word(0), "time") == 0) {
            now.monotonic_ms = number(1);
            now.unix_ms = number(2);
            printf("0");
        } else if (strcmp(word(0), "new") == 0) {
            printf("%u", make());
        } else if (strcmp(word(0), "close") == 0) {
            printf("%u", ringtrue_client_free(&client));
        } else if (strcmp(word(0), "name") == 0) {
            name = ringtrue_result_name((uint32_t)number(1));
            printf("0 %.*s", (int)name.len, name.data);
        } else {
            of_session();
        }
        printf("\n");
        fflush(stdout);
    }
    ringtrue_client_free(&client);
    free(line);
    return 0;
}
