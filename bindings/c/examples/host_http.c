/* HTTP by libcurl: one connection per role, TLS 1.3, nothing in a request that tells devices apart. */
#include "host.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_HEADERS 64

/* An answer while it arrives. */
struct answer {
    char *body;
    size_t length, limit;
    bool is_too_large;
    /* Whether addresses of this network are allowed, and whether one was refused. */
    bool allow_local, is_refused;
    /* Lines, cut into name and value in place. */
    char *lines[MAX_HEADERS];
    ringtrue_header headers[MAX_HEADERS];
    size_t headers_len;
};

static size_t on_body(char *octets, size_t size, size_t count, void *context) {
    struct answer *answer = (struct answer *)context;
    size_t length = size * count;
    char *grown;
    if (length > answer->limit - answer->length) {
        answer->is_too_large = true;
        return 0;
    }
    grown = (char *)realloc(answer->body, answer->length + length + 1);
    if (grown == NULL) {
        return 0;
    }
    memcpy(grown + answer->length, octets, length);
    answer->body = grown;
    answer->length += length;
    return length;
}

static size_t on_header(char *octets, size_t size, size_t count, void *context) {
    struct answer *answer = (struct answer *)context;
    size_t length = size * count, end = length;
    char *line, *colon, *value;
    if (answer->headers_len == MAX_HEADERS || memchr(octets, ':', length) == NULL) {
        return length; /* the status line, the empty line, or more than anybody needs */
    }
    line = (char *)malloc(length + 1);
    if (line == NULL) {
        return 0;
    }
    memcpy(line, octets, length);
    while (end > 0 && (line[end - 1] == '\r' || line[end - 1] == '\n' || line[end - 1] == ' ')) {
        end--;
    }
    line[end] = '\0';
    colon = strchr(line, ':');
    *colon = '\0';
    value = colon + 1;
    while (*value == ' ') {
        value++;
    }
    answer->lines[answer->headers_len] = line;
    answer->headers[answer->headers_len].name = host_text(line);
    answer->headers[answer->headers_len].value = host_text(value);
    answer->headers_len++;
    return length;
}

/* Addresses come from other parties' statements too: only public ones are connected to. Asked with the address
 * itself, after the name was resolved. */
static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    struct answer *answer = (struct answer *)context;
    ringtrue_octets octets = {NULL, 0};
    uint32_t reach;
    (void)purpose;
    if (address->family == AF_INET) {
        octets.data = (const uint8_t *)&((const struct sockaddr_in *)(void *)&address->addr)->sin_addr;
        octets.len = 4;
    } else if (address->family == AF_INET6) {
        octets.data = (const uint8_t *)&((const struct sockaddr_in6 *)(void *)&address->addr)->sin6_addr;
        octets.len = 16;
    }
    reach = ringtrue_address_reach(octets);
    if (reach == RINGTRUE_REACH_PUBLIC || (answer->allow_local && reach != RINGTRUE_REACH_NEVER)) {
        return socket(address->family, address->socktype, address->protocol);
    }
    answer->is_refused = true;
    return CURL_SOCKET_BAD;
}

static ringtrue_result reason_of(CURLcode code, const struct answer *answer) {
    if (answer->is_too_large) {
        return RINGTRUE_RESULT_ANSWER_TOO_LARGE;
    }
    if (answer->is_refused) {
        return RINGTRUE_RESULT_ADDRESS_NOT_ALLOWED;
    }
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return RINGTRUE_RESULT_DEADLINE_PASSED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return RINGTRUE_RESULT_TLS_FAILED;
    default:
        return RINGTRUE_RESULT_SERVICE_UNREACHABLE;
    }
}

/* Text of the library, terminated for libcurl. */
static char *terminated(ringtrue_text text) {
    char *copy = (char *)malloc(text.len + 1);
    if (copy != NULL) {
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

static struct curl_slist *request_headers(const ringtrue_http *http) {
    /* libcurl's own are left out: every RingTrue device looks the same. */
    struct curl_slist *list = curl_slist_append(NULL, "Accept:");
    bool has_type = false;
    size_t index;
    for (index = 0; index < http->headers_len; index++) {
        const ringtrue_header *header = &http->headers[index];
        size_t room = header->name.len + header->value.len + 3;
        char *line = (char *)malloc(room);
        if (line != NULL) {
            snprintf(line, room, "%.*s: %.*s", (int)header->name.len, header->name.data,
                     (int)header->value.len, header->value.data);
            list = curl_slist_append(list, line);
            has_type = has_type || strncmp(line, "content-type:", 13) == 0;
            free(line);
        }
    }
    if (!has_type) {
        list = curl_slist_append(list, "Content-Type:");
    }
    return curl_slist_append(list, "Expect:");
}

void host_send(struct host *host, ringtrue_session session, const ringtrue_action *action) {
    const ringtrue_http *http = &action->http;
    uint32_t role = http->role < HOST_ROLES ? http->role : 0;
    char *url = terminated(http->url), *method = terminated(http->method);
    struct curl_slist *headers = request_headers(http);
    struct answer answer;
    uint64_t now = host_now().monotonic_ms;
    CURLcode code = CURLE_FAILED_INIT;
    CURL *curl = (CURL *)host->connections[role];
    long status = 0;
    size_t index;

    memset(&answer, 0, sizeof answer);
    answer.limit = http->max_answer_octets;
    answer.allow_local = host->allow_local;
    if (curl == NULL) {
        curl = curl_easy_init();
        host->connections[role] = curl;
    }
    if (curl != NULL && url != NULL && method != NULL && action->until_ms > now) {
        curl_easy_reset(curl); /* keeps the connection */
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        if (http->body.len > 0) {
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)http->body.len);
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, http->body.data);
        }
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(action->until_ms - now));
        if (host->tls_roots != NULL) {
            curl_easy_setopt(curl, CURLOPT_CAINFO, host->tls_roots);
        }
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &answer);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    if (code == CURLE_OK) {
        ringtrue_octets body = {(const uint8_t *)answer.body, answer.length};
        ringtrue_input_response(host->client, session, action->id, (uint32_t)status, answer.headers,
                                answer.headers_len, body, host_now());
    } else {
        ringtrue_input_failure(host->client, session, action->id, reason_of(code, &answer),
                               host_now());
    }
    for (index = 0; index < answer.headers_len; index++) {
        free(answer.lines[index]);
    }
    free(answer.body);
    free(url);
    free(method);
    curl_slist_free_all(headers);
}

void host_disconnect(struct host *host) {
    size_t role;
    for (role = 0; role < HOST_ROLES; role++) {
        if (host->connections[role] != NULL) {
            curl_easy_cleanup(host->connections[role]);
            host->connections[role] = NULL;
        }
    }
}
