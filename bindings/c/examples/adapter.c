/* A terminal adapter: publishes its key, announces calls, verifies calls.
 *
 *     adapter OPTIONS publish
 *     adapter OPTIONS place NUMBER     before dialling it; then waits for who answers
 *     adapter OPTIONS stock NUMBER     storage tokens for calls to it: some time after a call, not before one
 *     adapter OPTIONS ring NUMBER      the number that rings; answers a verified caller that asks
 *
 * OPTIONS: --number N --service URL --state FOLDER --anchors PEM --chain PEM --key PEM --x5u URL
 * --tls-roots PEM --relay URL --issuer NAME --delegates --allow-local --within MS. Exit status 0: done or verified; 3: any other verdict; 1: it could not be done.
 */
#include "host.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_reasons(const uint32_t *reasons, uint32_t count) {
    uint32_t index;
    for (index = 0; index < count; index++) {
        ringtrue_text name = ringtrue_result_name(reasons[index]);
        printf(" %.*s", (int)name.len, name.data);
    }
    printf("\n");
    fflush(stdout);
}

/* Prints what came of a session and frees it. */
static bool finish(struct host *host, ringtrue_session session, const char *what) {
    ringtrue_outcome outcome;
    ringtrue_result code;
    if (host_drive(host, session) == 0) {
        return false;
    }
    code = ringtrue_session_outcome(host->client, session, &outcome);
    if (code != RINGTRUE_RESULT_OK) {
        host_print_code(what, code);
        return false;
    }
    printf("%s: %s", what, outcome.done ? "done" : "not done");
    print_reasons(outcome.reasons, outcome.reasons_len);
    return outcome.done == 1;
}

static bool print_verdict(struct host *host, ringtrue_session session, ringtrue_verdict *verdict) {
    ringtrue_result code = ringtrue_session_verdict(host->client, session, verdict);
    ringtrue_text name;
    if (code != RINGTRUE_RESULT_OK) {
        host_print_code("no verdict", code);
        return false;
    }
    name = ringtrue_verdict_name(verdict->verdict);
    printf("%.*s", (int)name.len, name.data);
    print_reasons(verdict->reasons, verdict->reasons_len);
    return verdict->is_good == 1;
}

static int publish(struct host *host, bool has_relay) {
    ringtrue_session session;
    ringtrue_result code;
    if (has_relay) {
        /* First, so that nothing has to wait for the gateway's keys. */
        code = ringtrue_gateway_begin(host->client, host_text(""), 0, host_now(), &session);
        if (code != RINGTRUE_RESULT_OK || !finish(host, session, "gateway")) {
            return 1;
        }
    }
    code = ringtrue_publish_begin(host->client, 0, 0, host_now(), &session);
    if (code != RINGTRUE_RESULT_OK) {
        host_print_code("publish", code);
        return 1;
    }
    return finish(host, session, "publish") ? 0 : 1;
}

static int place(struct host *host, const char *number, const char *own) {
    ringtrue_session announced, awaited;
    ringtrue_verdict verdict;
    ringtrue_result code =
        ringtrue_place_begin(host->client, host_text(own), host_text(number),
                             RINGTRUE_PLACE_WANT_ANSWER, 0, host_now(), &announced);
    if (code != RINGTRUE_RESULT_OK) {
        host_print_code("place", code);
        return 1;
    }
    /* Dial now, whatever came of it. */
    if (!finish(host, announced, "place")) {
        return 3;
    }
    code = ringtrue_await_answer_begin(host->client, announced, 0, 0, host_now(), &awaited);
    if (code != RINGTRUE_RESULT_OK) {
        host_print_code("await", code);
        return 1;
    }
    return host_drive(host, awaited) != 0 && print_verdict(host, awaited, &verdict) ? 0 : 3;
}

static int stock(struct host *host, const char *number) {
    ringtrue_session known, filling;
    uint32_t index = 0;
    ringtrue_result code =
        ringtrue_prefetch_begin(host->client, host_text(number), 0, host_now(), &known);
    if (code != RINGTRUE_RESULT_OK || !finish(host, known, "keys")) {
        return 1;
    }
    while (ringtrue_refill_begin(host->client, known, index, 0, host_now(), &filling) ==
           RINGTRUE_RESULT_OK) {
        if (!finish(host, filling, "tokens")) {
            return 1;
        }
        ringtrue_session_free(host->client, filling);
        index++;
    }
    return 0;
}

static int ring(struct host *host, const char *number, const char *own) {
    ringtrue_session ringing, answer;
    ringtrue_verdict verdict;
    bool is_good;
    ringtrue_result code = ringtrue_ring_begin(host->client, host_text(number), host_text(own), 0, 0,
                                               host_now(), &ringing);
    if (code != RINGTRUE_RESULT_OK) {
        host_print_code("ring", code);
        return 1;
    }
    if (host_drive(host, ringing) == 0) {
        return 1;
    }
    is_good = print_verdict(host, ringing, &verdict);
    /* The telephone rings now, and is picked up. */
    if (is_good && verdict.wants_answer == 1) {
        code = ringtrue_answer_begin(host->client, ringing, RINGTRUE_CALL_ANSWERED, 0, host_now(),
                                     &answer);
        if (code != RINGTRUE_RESULT_OK || !finish(host, answer, "answer")) {
            return 1;
        }
    }
    /* To the end, also when everything is known: the service must not see whether something was found. */
    while (host_drive(host, ringing) == RINGTRUE_ACTION_REPORT) {
        is_good = print_verdict(host, ringing, &verdict);
    }
    return is_good ? 0 : 3;
}

int main(int argc, char **argv) {
    struct host_settings settings;
    struct host host;
    const char *within = "0";
    int index = 1, status = 2;
    memset(&settings, 0, sizeof settings);
    for (; index < argc && strncmp(argv[index], "--", 2) == 0; index++) {
        const char *name = argv[index] + 2;
        const char **value = NULL;
        if (strcmp(name, "delegates") == 0) {
            settings.profile = RINGTRUE_PROFILE_DELEGATE;
            continue;
        }
        if (strcmp(name, "allow-local") == 0) {
            settings.allow_local = true;
            continue;
        }
        value = strcmp(name, "number") == 0      ? &settings.number
                : strcmp(name, "service") == 0   ? &settings.service
                : strcmp(name, "state") == 0     ? &settings.folder
                : strcmp(name, "anchors") == 0   ? &settings.anchors
                : strcmp(name, "chain") == 0     ? &settings.chain
                : strcmp(name, "key") == 0       ? &settings.key
                : strcmp(name, "x5u") == 0       ? &settings.x5u
                : strcmp(name, "tls-roots") == 0 ? &settings.tls_roots
                : strcmp(name, "relay") == 0     ? &settings.relay
                : strcmp(name, "issuer") == 0    ? &settings.token_issuer
                : strcmp(name, "within") == 0    ? &within
                                                 : NULL;
        if (value == NULL || index + 1 == argc) {
            fprintf(stderr, "adapter: unknown or incomplete option %s\n", argv[index]);
            return 2;
        }
        *value = argv[++index];
    }
    if (settings.number == NULL || settings.service == NULL || settings.folder == NULL ||
        settings.anchors == NULL || index == argc) {
        fprintf(stderr, "adapter: --number, --service, --state, --anchors and a command are needed\n");
        return 2;
    }
    settings.within_ms = (uint32_t)strtoul(within, NULL, 10);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (!host_open(&host, &settings)) {
        curl_global_cleanup();
        return 1;
    }
    if (strcmp(argv[index], "publish") == 0) {
        status = publish(&host, settings.relay != NULL);
    } else if (strcmp(argv[index], "place") == 0 && index + 1 < argc) {
        status = place(&host, argv[index + 1], settings.number);
    } else if (strcmp(argv[index], "stock") == 0 && index + 1 < argc) {
        status = stock(&host, argv[index + 1]);
    } else if (strcmp(argv[index], "ring") == 0 && index + 1 < argc) {
        status = ring(&host, argv[index + 1], settings.number);
    } else {
        fprintf(stderr, "adapter: publish, place NUMBER, stock NUMBER or ring NUMBER\n");
    }
    host_close(&host);
    curl_global_cleanup();
    return status;
}
