#ifndef COMITY_CRESOLV_SHIM_H
#define COMITY_CRESOLV_SHIM_H

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* libresolv's names are macros and its state is a struct of unions and bit fields: Swift sees neither. One exchange is
   therefore one function here. */

/* Whether `host` is a numeric address. */
static inline int comity_res_is_address(const char *host) {
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_flags = AI_NUMERICHOST;
    if (getaddrinfo(host, NULL, &hints, &found) != 0) return 0;
    freeaddrinfo(found);
    return 1;
}

/* Makes `host`, a numeric address (IPv6 perhaps with %scope), and `port` the only name server of `state`. Answers 0, or
   an errno. */
static inline int comity_res_set_server(struct __res_state *state, const char *host, const char *port) {
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_DGRAM;
    if (getaddrinfo(host, port, &hints, &found) != 0) return EINVAL;
    int status = 0;
    if (found->ai_family == AF_INET) {
        memcpy(&state->nsaddr_list[0], found->ai_addr, sizeof state->nsaddr_list[0]);
    } else {
        /* glibc takes the server from `nsaddrs` where the family in `nsaddr_list` is 0; res_nclose frees it. */
        struct sockaddr_in6 *place = state->_u._ext.nsaddrs[0];
        if (place == NULL) place = malloc(sizeof *place);
        if (place == NULL) {
            status = ENOMEM;
        } else {
            memcpy(place, found->ai_addr, sizeof *place);
            memset(&state->nsaddr_list[0], 0, sizeof state->nsaddr_list[0]);
            state->_u._ext.nsaddrs[0] = place;
        }
    }
    freeaddrinfo(found);
    state->nscount = 1;
    state->_u._ext.nscount = 0;
    return status;
}

/* Sends `query` and waits for its answer: over UDP, and again over TCP where the answer says that it is truncated.
   `host` NULL: the machine's name servers, as /etc/resolv.conf names them now. Waits `seconds` for the first answer,
   twice as long for each further attempt. Answers the answer's length, which may exceed `room`, or -errno; even then
   `answer` may hold a refusal of the server. */
static inline int comity_res_exchange(
    const char *host, const char *port, int seconds, int attempts, const unsigned char *query, int length,
    unsigned char *answer, int room) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return -ENOMEM;
    state.retrans = seconds;
    state.retry = attempts;
    int status = host == NULL ? 0 : comity_res_set_server(&state, host, port);
    int result = -status;
    if (status == 0) {
        result = res_nsend(&state, query, length, answer, room);
        if (result < 0) result = errno > 0 ? -errno : -EIO;
    }
    res_nclose(&state);
    return result;
}

#endif
