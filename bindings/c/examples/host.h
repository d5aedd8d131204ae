/* What a device brings along for RingTrue: HTTP by libcurl, records in a folder, two clocks. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "ringtrue.h"

#define HOST_ROLES 7

struct host {
    ringtrue_client *client;
    /* Connections are never shared between roles. */
    void *connections[HOST_ROLES];
    /* Where the records are. */
    char *folder;
    /* PEM file with the roots of services' TLS certificates; NULL: libcurl's own. */
    const char *tls_roots;
    /* Whether services may be in this network or on this machine. */
    bool allow_local;
};

/* What `host_open` needs. Files are PEM. */
struct host_settings {
    const char *number;     /* the own number */
    const char *service;    /* base URL of the own placement service */
    const char *folder;     /* for state, must exist */
    const char *anchors;    /* file: STI roots */
    const char *chain;      /* file: own certificate chain, or NULL */
    const char *key;        /* file: its private key, or NULL */
    const char *x5u;        /* where others find the chain, or NULL */
    const char *tls_roots;  /* file, or NULL */
    uint32_t profile;       /* RINGTRUE_PROFILE_... or 0 */
    uint32_t within_ms;     /* when verdicts and announcements are due; 0: the library's times */
    bool allow_local;       /* services may be in this network or on this machine: for laboratories */
    const char *token_issuer; /* whose storage tokens the service wants, or NULL */
    /* How numbers are written on the line, or NULL and 0 if they are global: country code, what precedes a
     * national number, what precedes a country code, digits of a national number without its prefix. */
    const char *country, *trunk, *abroad;
    uint32_t national_digits;
    const char *relay;      /* base URL of the relay; NULL: services are asked directly */
};

/* Makes the client. Prints what is wrong. */
bool host_open(struct host *host, const struct host_settings *settings);
void host_close(struct host *host);

/* The time as RingTrue wants it. */
ringtrue_time host_now(void);

/* Text with its length. */
ringtrue_text host_text(const char *text);

/* Drives a session until it has news: gives RINGTRUE_ACTION_REPORT or RINGTRUE_ACTION_DONE, or 0 if the
 * session is gone. Blocks meanwhile: a device with an event loop does the same in pieces. */
uint32_t host_drive(struct host *host, ringtrue_session session);

/* Prints a code's name, for people. */
void host_print_code(const char *what, ringtrue_result code);

/* HTTP and records, each in a file of its own. */
void host_send(struct host *host, ringtrue_session session, const ringtrue_action *action);
void host_disconnect(struct host *host);
void host_load(struct host *host, ringtrue_session session, const ringtrue_action *action);
void host_store(struct host *host, ringtrue_session session, const ringtrue_action *action);
void host_claim(struct host *host, ringtrue_session session, const ringtrue_action *action);
/* Reads the state key, or makes one. */
bool host_state_key(const char *folder, uint8_t key[32]);
/* Reads a file; `*length` octets and a zero one. Freed by the caller. NULL if it cannot be read. */
char *host_read_file(const char *path, size_t *length);

#endif
