/* Makes a client from files, and drives its sessions. */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

ringtrue_time host_now(void) {
    struct timespec monotonic = {0, 0}, wall = {0, 0};
    ringtrue_time now;
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    clock_gettime(CLOCK_REALTIME, &wall);
    now.monotonic_ms = (uint64_t)monotonic.tv_sec * 1000 + (uint64_t)monotonic.tv_nsec / 1000000;
    /* A device without a battery clock says 0 until the network has told it the time. */
    now.unix_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000;
    return now;
}

ringtrue_text host_text(const char *text) {
    ringtrue_text result = {NULL, 0};
    if (text != NULL) {
        result.data = text;
        result.len = strlen(text);
    }
    return result;
}

void host_print_code(const char *what, ringtrue_result code) {
    ringtrue_text name = ringtrue_result_name(code);
    fprintf(stderr, "%s: %.*s (%lu)\n", what, (int)name.len, name.data, (unsigned long)code);
}

static void wait_until(uint64_t until_ms) {
    uint64_t now = host_now().monotonic_ms;
    struct timespec pause;
    if (until_ms <= now) {
        return;
    }
    pause.tv_sec = (time_t)((until_ms - now) / 1000);
    pause.tv_nsec = (long)((until_ms - now) % 1000) * 1000000;
    nanosleep(&pause, NULL);
}

uint32_t host_drive(struct host *host, ringtrue_session session) {
    for (;;) {
        ringtrue_action action;
        ringtrue_result code = ringtrue_session_next(host->client, session, host_now(), &action);
        if (code != RINGTRUE_RESULT_OK) {
            host_print_code("the session is gone", code);
            return 0;
        }
        switch (action.kind) {
        case RINGTRUE_ACTION_HTTP:
            host_send(host, session, &action);
            break;
        case RINGTRUE_ACTION_LOAD:
            host_load(host, session, &action);
            break;
        case RINGTRUE_ACTION_STORE:
            host_store(host, session, &action);
            break;
        case RINGTRUE_ACTION_CLAIM:
            host_claim(host, session, &action);
            break;
        case RINGTRUE_ACTION_WAIT:
            wait_until(action.until_ms);
            break;
        case RINGTRUE_ACTION_REPORT:
        case RINGTRUE_ACTION_DONE:
            return action.kind;
        default:
            /* SIGN and AGREE: this device has its keys in files, so they never come. */
            ringtrue_input_failure(host->client, session, action.id, RINGTRUE_RESULT_SIGNER_FAILED,
                                   host_now());
            break;
        }
    }
}

char *host_read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    char *octets = NULL;
    long size = -1;
    *length = 0;
    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
    }
    if (size >= 0 && size <= 1048576 && fseek(file, 0, SEEK_SET) == 0) {
        octets = (char *)malloc((size_t)size + 1);
    }
    if (octets != NULL) {
        *length = fread(octets, 1, (size_t)size, file);
        octets[*length] = '\0';
    }
    fclose(file);
    return octets;
}

/* The text of a file that may not be configured; false if it is and cannot be read. */
static bool configured(const char *path, char **text) {
    size_t length;
    *text = NULL;
    if (path == NULL) {
        return true;
    }
    *text = host_read_file(path, &length);
    if (*text == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
    }
    return *text != NULL;
}

bool host_open(struct host *host, const struct host_settings *settings) {
    ringtrue_text number = host_text(settings->number), service = host_text(settings->service);
    char *anchors = NULL, *chain = NULL, *key = NULL;
    uint8_t state_key[32];
    ringtrue_config config;
    ringtrue_result code;
    bool is_read;

    memset(host, 0, sizeof *host);
    is_read = configured(settings->anchors, &anchors) && configured(settings->chain, &chain) &&
              configured(settings->key, &key) && host_state_key(settings->folder, state_key);
    host->folder = (char *)malloc(strlen(settings->folder) + 1);
    if (!is_read || host->folder == NULL) {
        free(anchors);
        free(chain);
        free(key);
        host_close(host);
        return false;
    }
    strcpy(host->folder, settings->folder);
    host->tls_roots = settings->tls_roots;
    host->allow_local = settings->allow_local;

    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.abi_version = RINGTRUE_ABI_VERSION;
    /* Without a relay the service sees this device's address. */
    config.allow_direct = settings->relay == NULL;
    config.relay = host_text(settings->relay);
    config.country_code = host_text(settings->country);
    config.trunk_prefix = host_text(settings->trunk);
    config.international_prefix = host_text(settings->abroad);
    config.national_digits = settings->national_digits;
    config.token_issuer = host_text(settings->token_issuer);
    config.numbers = &number;
    config.numbers_len = 1;
    config.services = &service;
    config.services_len = 1;
    config.anchors_pem = host_text(anchors);
    config.credential_chain_pem = host_text(chain);
    config.credential_key_pem = host_text(key);
    config.credential_x5u = host_text(settings->x5u);
    config.state_key.data = state_key;
    config.state_key.len = sizeof state_key;
    config.profile = settings->profile;
    config.ring_deadline_ms = settings->within_ms;
    config.place_deadline_ms = settings->within_ms;
    config.answer_deadline_ms = settings->within_ms;
    code = ringtrue_client_new(&config, host_now(), &host->client);

    free(anchors);
    free(chain);
    if (key != NULL) {
        memset(key, 0, strlen(key));
    }
    free(key);
    if (code != RINGTRUE_RESULT_OK) {
        host_print_code("cannot begin", code);
        host_close(host);
        return false;
    }
    return true;
}

void host_close(struct host *host) {
    ringtrue_client_free(&host->client);
    host_disconnect(host);
    free(host->folder);
    host->folder = NULL;
}
