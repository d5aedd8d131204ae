/* A firmware with an allocator of its own: everything that the library takes comes from it, has the alignment
 * that was asked for, and comes back with its size. Takes the folder of a laboratory and the time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ringtrue.h"

static size_t held = 0, peak = 0, taken = 0, faults = 0;

void *ringtrue_host_alloc(size_t size, size_t alignment) {
    void *memory = NULL;
    if (posix_memalign(&memory, alignment < sizeof(void *) ? sizeof(void *) : alignment, size) != 0) {
        return NULL;
    }
    faults += size == 0 || (alignment & (alignment - 1)) != 0;
    held += size;
    peak = held > peak ? held : peak;
    taken++;
    return memory;
}

void ringtrue_host_free(void *memory, size_t size, size_t alignment) {
    faults += memory == NULL || size > held || alignment == 0;
    held -= size;
    free(memory);
}

static ringtrue_text text_of(const char *text) {
    ringtrue_text result = {text, strlen(text)};
    return result;
}

int main(int argc, char **argv) {
    ringtrue_text number = text_of("+12025550143"), service = text_of("https://cps.example");
    ringtrue_time now = {1000, 0};
    static char anchors[65536];
    uint8_t key[32] = {1};
    ringtrue_client *client = NULL;
    ringtrue_session session;
    ringtrue_action action;
    ringtrue_config config;
    FILE *file;
    if (argc != 3) {
        return 2;
    }
    snprintf(anchors, sizeof anchors, "%s/root.pem", argv[1]);
    file = fopen(anchors, "rb");
    memset(anchors, 0, sizeof anchors);
    if (file == NULL || fread(anchors, 1, sizeof anchors - 1, file) == 0) {
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
    if (ringtrue_client_new(&config, now, &client) != RINGTRUE_RESULT_OK ||
        ringtrue_ring_begin(client, text_of("12025550199"), text_of(""), 0, 0, now, &session) !=
            RINGTRUE_RESULT_OK ||
        ringtrue_session_next(client, session, now, &action) != RINGTRUE_RESULT_OK) {
        return 1;
    }
    ringtrue_client_free(&client);
    printf("%zu allocations, %zu octets at most, %zu held, %zu faults\n", taken, peak, held, faults);
    return taken > 10 && held == 0 && faults == 0 ? 0 : 1;
}
