/* Many threads on one client: each with a session of its own, all of them now and then with one session. A
 * thread gets its result or RINGTRUE_RESULT_BUSY. Takes the folder of a laboratory and the time. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ringtrue.h"

#define THREADS 8
#define ROUNDS 400

static ringtrue_client *client = NULL;
static ringtrue_session shared;
static ringtrue_time now = {1000, 0};

static ringtrue_text text_of(const char *text) {
    ringtrue_text result = {text, strlen(text)};
    return result;
}

static void *work(void *context) {
    unsigned long *failures = (unsigned long *)context;
    unsigned round;
    for (round = 0; round < ROUNDS; round++) {
        ringtrue_octets none = {NULL, 0};
        ringtrue_session own;
        ringtrue_action action;
        ringtrue_verdict verdict;
        ringtrue_result code = ringtrue_ring_begin(client, text_of("12025550199"), text_of(""), 0, 0,
                                                   now, &own);
        *failures += code != RINGTRUE_RESULT_OK;
        code = ringtrue_session_next(client, own, now, &action);
        *failures += code != RINGTRUE_RESULT_OK || action.kind != RINGTRUE_ACTION_LOAD;
        code = ringtrue_input_loaded(client, own, action.id, 0, none, now);
        *failures += code != RINGTRUE_RESULT_OK;
        code = ringtrue_session_verdict(client, own, &verdict);
        *failures += code != RINGTRUE_RESULT_WRONG_ORDER;
        *failures += ringtrue_session_free(client, own) != RINGTRUE_RESULT_OK;
        *failures += ringtrue_session_free(client, own) != RINGTRUE_RESULT_STALE_HANDLE;
        code = ringtrue_session_next(client, shared, now, &action);
        *failures += code != RINGTRUE_RESULT_OK && code != RINGTRUE_RESULT_BUSY;
    }
    return NULL;
}

int main(int argc, char **argv) {
    ringtrue_text number = text_of("+12025550143"), service = text_of("https://cps.example");
    pthread_t threads[THREADS];
    unsigned long failures[THREADS], all = 0;
    uint8_t key[32] = {1};
    static char anchors[65536];
    ringtrue_config config;
    FILE *file;
    unsigned at;
    if (argc != 3) {
        return 2;
    }
    snprintf(anchors, sizeof anchors, "%s/root.pem", argv[1]);
    file = fopen(anchors, "rb");
    if (file == NULL) {
        return 2;
    }
    memset(anchors, 0, sizeof anchors);
    if (fread(anchors, 1, sizeof anchors - 1, file) == 0) {
        return 2;
    }
    fclose(file);
    now.unix_ms = strtoull(argv[2], NULL, 10);
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.abi_version = RINGTRUE_ABI_VERSION;
    config.allow_direct = 1;
    config.numbers = &number;
    config.numbers_len = 1;
    config.services = &service;
    config.services_len = 1;
    config.anchors_pem = text_of(anchors);
    config.state_key.data = key;
    config.state_key.len = sizeof key;
    config.max_sessions = THREADS + 1;
    if (ringtrue_client_new(&config, now, &client) != RINGTRUE_RESULT_OK ||
        ringtrue_publish_begin(client, 0, 0, now, &shared) != RINGTRUE_RESULT_OK) {
        return 1;
    }
    for (at = 0; at < THREADS; at++) {
        failures[at] = 0;
        if (pthread_create(&threads[at], NULL, work, &failures[at]) != 0) {
            return 2;
        }
    }
    for (at = 0; at < THREADS; at++) {
        pthread_join(threads[at], NULL);
        all += failures[at];
    }
    ringtrue_client_free(&client);
    printf("%d threads, %lu failures\n", THREADS, all);
    return all == 0 ? 0 : 1;
}
