/* An IP address and port in 20 bytes, IPv4 and IPv6 alike. */
#ifndef TANDEM_PLANE_ADDRESS_H
#define TANDEM_PLANE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct address {
    uint8_t ip[16];  /* IPv4 in the first four bytes, the rest zero */
    uint16_t port;   /* host byte order */
    uint16_t family; /* 0 = none, 4, 6 */
};

static inline bool address_known(const struct address *a) {
    return a->family != 0;
}

static inline bool address_same_ip(const struct address *a, const struct address *b) {
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static inline bool address_same(const struct address *a, const struct address *b) {
    return a->port == b->port && address_same_ip(a, b);
}

#endif
