/* An Asterisk AGI program: tells the dialplan who is calling.
 *
 *     exten => _X.,1,AGI(ringtrue-agi,--state,/var/lib/ringtrue,...)
 *      same => n,Set(CALLERID(name)=${RINGTRUE_LABEL})
 *      same => n,Dial(DAHDI/1)
 *
 * Sets RINGTRUE_VERDICT to the verdict's name, RINGTRUE_REASON to the first reason's, and RINGTRUE_LABEL to
 * at most 15 characters, as the caller ID name of an analogue telephone takes them. Never hangs up and never
 * answers the call: what a verdict means is the dialplan's business. Within 1.5 s (`--within`), as the
 * telephone waits for its first ring. Options as for the adapter, but for --number: the called one is `agi_dnid`. A line delivers
 * national numbers: `--country 1 --trunk 1 --abroad 011 --digits 10` says how they are written.
 */
#include "host.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE 512
#define DEADLINE "1500"

/* Reads a line without its end; false at the end of the input. Longer ones are cut. */
static bool read_line(char *line, size_t size) {
    size_t length = 0;
    int octet;
    while ((octet = getchar()) != EOF && octet != '\n') {
        if (length + 1 < size && octet != '\r') {
            line[length++] = (char)octet;
        }
    }
    line[length] = '\0';
    return octet != EOF || length > 0;
}

/* Sends a command and reads its answer; false if Asterisk does not want it. */
static bool command(const char *text) {
    char line[LINE];
    printf("%s\n", text);
    fflush(stdout);
    do {
        if (!read_line(line, sizeof line)) {
            return false;
        }
    } while (strcmp(line, "HANGUP") == 0); /* the caller gave up: the answer follows */
    return strncmp(line, "200 ", 4) == 0;
}

static bool set_variable(const char *name, ringtrue_text value) {
    char text[LINE];
    snprintf(text, sizeof text, "SET VARIABLE %s \"%.*s\"", name, (int)value.len, value.data);
    return command(text);
}

/* Asterisk's header: `agi_callerid: +12025550143`, and so on, to an empty line. */
static void read_header(char *from, char *to, size_t size) {
    char line[LINE];
    while (read_line(line, sizeof line) && line[0] != '\0') {
        if (strncmp(line, "agi_callerid: ", 14) == 0 && strcmp(line + 14, "unknown") != 0) {
            snprintf(from, size, "%.*s", (int)size - 1, line + 14);
        } else if (strncmp(line, "agi_dnid: ", 10) == 0 && strcmp(line + 10, "unknown") != 0) {
            snprintf(to, size, "%.*s", (int)size - 1, line + 10);
        }
    }
}

static const char *label_of(uint32_t verdict) {
    switch (verdict) {
    case RINGTRUE_VERDICT_CONFIRMED:
    case RINGTRUE_VERDICT_VERIFIED:
        return "Verified";
    case RINGTRUE_VERDICT_CONFLICTING:
        return "Unsure";
    case RINGTRUE_VERDICT_REFUSED:
        return "Not verified";
    default:
        return ""; /* nothing is known: no sign of fraud */
    }
}

static bool tell(const ringtrue_verdict *verdict) {
    ringtrue_text none = {"", 0};
    ringtrue_text reason =
        verdict->reasons_len > 0 ? ringtrue_result_name(verdict->reasons[0]) : none;
    return set_variable("RINGTRUE_VERDICT", ringtrue_verdict_name(verdict->verdict)) &&
           set_variable("RINGTRUE_REASON", reason) &&
           set_variable("RINGTRUE_LABEL", host_text(label_of(verdict->verdict)));
}

int main(int argc, char **argv) {
    struct host_settings settings;
    struct host host;
    char from[64] = "", to[64] = "";
    const char *digits = "0", *within = DEADLINE;
    ringtrue_session session;
    ringtrue_verdict verdict;
    ringtrue_result code;
    int index, status = 1;
    memset(&settings, 0, sizeof settings);
    read_header(from, to, sizeof from);
    settings.number = to;
    for (index = 1; index < argc; index++) {
        const char **value = strcmp(argv[index], "--service") == 0     ? &settings.service
                             : strcmp(argv[index], "--state") == 0     ? &settings.folder
                             : strcmp(argv[index], "--anchors") == 0   ? &settings.anchors
                             : strcmp(argv[index], "--tls-roots") == 0 ? &settings.tls_roots
                             : strcmp(argv[index], "--country") == 0   ? &settings.country
                             : strcmp(argv[index], "--trunk") == 0     ? &settings.trunk
                             : strcmp(argv[index], "--abroad") == 0    ? &settings.abroad
                             : strcmp(argv[index], "--digits") == 0    ? &digits
                             : strcmp(argv[index], "--within") == 0    ? &within
                                                                       : NULL;
        if (strcmp(argv[index], "--delegates") == 0) {
            settings.profile = RINGTRUE_PROFILE_DELEGATE;
        } else if (strcmp(argv[index], "--allow-local") == 0) {
            settings.allow_local = true;
        } else if (value == NULL || index + 1 == argc) {
            fprintf(stderr, "agi: unknown or incomplete option %s\n", argv[index]);
            return 2;
        } else {
            *value = argv[++index];
        }
    }
    if (settings.service == NULL || settings.folder == NULL || settings.anchors == NULL) {
        fprintf(stderr, "agi: --service, --state and --anchors are needed\n");
        return 2;
    }
    settings.within_ms = (uint32_t)strtoul(within, NULL, 10);
    settings.national_digits = (uint32_t)strtoul(digits, NULL, 10);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (!host_open(&host, &settings)) {
        curl_global_cleanup();
        return 1;
    }
    code = ringtrue_ring_begin(host.client, host_text(from), host_text(to), 0, 0, host_now(),
                               &session);
    if (code != RINGTRUE_RESULT_OK) {
        host_print_code("agi", code);
    } else if (host_drive(&host, session) != 0 &&
               ringtrue_session_verdict(host.client, session, &verdict) == RINGTRUE_RESULT_OK &&
               tell(&verdict)) {
        status = 0;
        /* The dialplan goes on when this end is closed; the polls go on to their end, so that the service
         * does not see whether something was found. */
        fclose(stdout);
        fclose(stdin);
        while (host_drive(&host, session) == RINGTRUE_ACTION_REPORT) {
        }
    }
    host_close(&host);
    curl_global_cleanup();
    return status;
}
