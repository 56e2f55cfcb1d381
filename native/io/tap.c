#include "io/tap.h"

#include "io/socket_address.h"

#include <time.h>

static double wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool is_wildcard(const struct address *address) {
    static const uint8_t anywhere[sizeof address->ip];
    return memcmp(address->ip, anywhere, sizeof anywhere) == 0;
}

static struct address local_of(const struct tap *tap, int fd) {
    union socket_address name;
    socklen_t length = sizeof name;
    if (fd < 0 || getsockname(fd, &name.any, &length) < 0)
        return (struct address){0};
    struct address local = from_socket(&name);
    if (is_wildcard(&local) && local.family == tap->announced.family)
        memcpy(local.ip, tap->announced.ip, sizeof local.ip);
    return local;
}

void tap_attach(struct tap *tap, int32_t row, int rtp_fd, int rtcp_fd) {
    tap->locals[row][false] = local_of(tap, rtp_fd);
    tap->locals[row][true] = local_of(tap, rtcp_fd);
}

void tap_arrived(struct tap *tap, int32_t row, bool rtcp, const struct address *source, const uint8_t *data,
                 size_t bytes, size_t whole) {
    const struct address *local = &tap->locals[row][rtcp];
    if (local->family == source->family)
        capture_packet(&tap->capture, wall(), source, local, data, bytes, whole);
}

void tap_sent(struct tap *tap, int32_t row, bool rtcp, const struct address *destination, const uint8_t *data,
              size_t bytes) {
    const struct address *local = &tap->locals[row][rtcp];
    if (local->family == destination->family)
        capture_packet(&tap->capture, wall(), local, destination, data, bytes, bytes);
}
