/* Records as files of one folder. Several programs may share it: a lock makes each step one step, and what
 * was answered with "written" survives a power cut. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE "state.key"
#define LOCK_FILE "lock"

/* FOLDER/NAME, or FOLDER/PREFIX.NAME. Freed by the caller. */
static char *path_of(const char *folder, const char *prefix, ringtrue_text name) {
    size_t room = strlen(folder) + strlen(prefix) + name.len + 3;
    char *path = (char *)malloc(room);
    if (path != NULL) {
        snprintf(path, room, "%s/%s%s%.*s", folder, prefix, *prefix ? "." : "", (int)name.len,
                 name.data);
    }
    return path;
}

/* Holds the folder's lock until the file is closed; -1 if it cannot be had. */
static int lock(const char *folder) {
    char *path = path_of(folder, "", host_text(LOCK_FILE));
    struct flock whole;
    int file = -1;
    if (path != NULL) {
        file = open(path, O_RDWR | O_CREAT, 0600);
    }
    free(path);
    memset(&whole, 0, sizeof whole);
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (file >= 0 && fcntl(file, F_SETLKW, &whole) != 0) {
        close(file);
        file = -1;
    }
    return file;
}

/* Makes what was renamed or created in the folder survive a power cut. */
static bool sync_folder(const char *folder) {
    int file = open(folder, O_RDONLY);
    bool is_synced = file >= 0 && fsync(file) == 0;
    if (file >= 0) {
        close(file);
    }
    return is_synced;
}

static bool write_all(int file, const uint8_t *octets, size_t length) {
    while (length > 0) {
        ssize_t written = write(file, octets, length);
        if (written < 0) {
            return false;
        }
        octets += written;
        length -= (size_t)written;
    }
    return true;
}

/* Writes beside the file and renames: a reader sees the old octets or the new ones. */
static bool replace(const char *folder, const char *path, const uint8_t *octets, size_t length) {
    char *beside = path_of(folder, "new", host_text("record"));
    bool is_written = false;
    if (beside != NULL) {
        int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (file >= 0) {
            is_written = write_all(file, octets, length) && fsync(file) == 0;
            close(file);
            is_written = is_written && rename(beside, path) == 0 && sync_folder(folder);
        }
    }
    free(beside);
    return is_written;
}

void host_load(struct host *host, ringtrue_session session, const ringtrue_action *action) {
    char *path = path_of(host->folder, "record", action->record.name);
    size_t length = 0;
    char *octets = path == NULL ? NULL : host_read_file(path, &length);
    ringtrue_octets value;
    bool is_absent = octets == NULL && errno == ENOENT;
    value.data = (const uint8_t *)octets;
    value.len = length;
    if (octets != NULL || is_absent) {
        ringtrue_input_loaded(host->client, session, action->id, octets != NULL, value, host_now());
    } else {
        ringtrue_input_failure(host->client, session, action->id, RINGTRUE_RESULT_STATE_UNAVAILABLE,
                               host_now());
    }
    free(octets);
    free(path);
}

void host_store(struct host *host, ringtrue_session session, const ringtrue_action *action) {
    const ringtrue_record *record = &action->record;
    char *path = path_of(host->folder, "record", record->name);
    int held_lock = lock(host->folder);
    ringtrue_result failure = RINGTRUE_RESULT_STATE_UNAVAILABLE;
    bool is_written = false;
    if (path != NULL && held_lock >= 0) {
        size_t length = 0;
        char *held = host_read_file(path, &length);
        bool is_expected = record->must_exist == 1
                               ? held != NULL && length == record->expected.len &&
                                     memcmp(held, record->expected.data, length) == 0
                               : held == NULL;
        is_written = is_expected && replace(host->folder, path, record->value.data, record->value.len);
        if (is_written || !is_expected) {
            failure = RINGTRUE_RESULT_OK;
        }
        free(held);
    }
    if (held_lock >= 0) {
        close(held_lock);
    }
    free(path);
    if (failure == RINGTRUE_RESULT_OK) {
        ringtrue_input_stored(host->client, session, action->id, is_written, host_now());
    } else {
        ringtrue_input_failure(host->client, session, action->id, failure, host_now());
    }
}

/* Marks are empty files: made once, by whoever is first. A device removes those whose time is over now and
 * then; `expires_unix_s` is their modification time. */
void host_claim(struct host *host, ringtrue_session session, const ringtrue_action *action) {
    char *path = path_of(host->folder, "mark", action->record.name);
    int file = -1;
    bool is_there = false, is_made = false;
    if (path != NULL) {
        file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        is_there = file < 0 && errno == EEXIST;
    }
    if (file >= 0) {
        struct timespec times[2];
        memset(times, 0, sizeof times);
        times[0].tv_sec = times[1].tv_sec = (time_t)action->record.expires_unix_s;
        is_made = futimens(file, times) == 0 && fsync(file) == 0;
        close(file);
        is_made = sync_folder(host->folder) && is_made;
    }
    free(path);
    if (is_made || is_there) {
        ringtrue_input_claimed(host->client, session, action->id, is_made, host_now());
    } else {
        ringtrue_input_failure(host->client, session, action->id, RINGTRUE_RESULT_STATE_UNAVAILABLE,
                               host_now());
    }
}

bool host_state_key(const char *folder, uint8_t key[32]) {
    char *path = path_of(folder, "", host_text(KEY_FILE));
    int held_lock = lock(folder);
    bool is_there = false;
    if (path != NULL && held_lock >= 0) {
        size_t length = 0;
        char *held = host_read_file(path, &length);
        if (held != NULL && length == 32) {
            memcpy(key, held, 32);
            is_there = true;
        } else if (held == NULL) {
            is_there = ringtrue_random(key, 32) == RINGTRUE_RESULT_OK &&
                       replace(folder, path, key, 32);
        }
        free(held);
    }
    if (held_lock >= 0) {
        close(held_lock);
    }
    free(path);
    if (!is_there) {
        fprintf(stderr, "no state key in %s\n", folder);
    }
    return is_there;
}
