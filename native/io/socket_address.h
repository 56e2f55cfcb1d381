/* Between the kernel's addresses and ours. */
#ifndef TANDEM_IO_SOCKET_ADDRESS_H
#define TANDEM_IO_SOCKET_ADDRESS_H

#include "plane/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static inline socklen_t to_socket(union socket_address *out, const struct address *address) {
    memset(out, 0, sizeof *out);
    if (address->family == 4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(address->port);
        memcpy(&out->v4.sin_addr, address->ip, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(address->port);
    memcpy(&out->v6.sin6_addr, address->ip, 16);
    return sizeof out->v6;
}

static inline struct address from_socket(const union socket_address *in) {
    struct address address = {0};
    if (in->any.sa_family == AF_INET) {
        address.family = 4;
        address.port = ntohs(in->v4.sin_port);
        memcpy(address.ip, &in->v4.sin_addr, 4);
    } else if (in->any.sa_family == AF_INET6) {
        address.family = 6;
        address.port = ntohs(in->v6.sin6_port);
        memcpy(address.ip, &in->v6.sin6_addr, 16);
    }
    return address;
}

#endif
