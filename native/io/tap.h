/* A tap on the loop's sockets: each datagram, as it came and as it went, into a capture (plane/capture.h).
 *
 * What does it do?
 *   It knows what the plane does not: the address of our own end, and the time on the wall.  A socket that is
 * bound to every address is shown under the one that SDP names, so that a reader finds the stream that a call
 * has spoken of.
 *
 * How do I use it?
 *   tap_open(), then loop->tap = &tap before the first loop_attach().  Without a tap the loop asks one branch
 * a datagram, beside a call of the system.
 */
#ifndef TANDEM_IO_TAP_H
#define TANDEM_IO_TAP_H

#include "plane/capture.h"

#include <stdbool.h>

enum { TAP_HALVES = 2 };

struct tap {
    struct capture capture;
    struct address announced;             /* stands for the wildcard */
    struct address (*locals)[TAP_HALVES]; /* of each row's sockets: RTP, RTCP */
};

/* A row has these sockets now; a descriptor below 0 is none. */
void tap_attach(struct tap *tap, int32_t row, int rtp_fd, int rtcp_fd);
/* A datagram came; `data` holds the first `bytes` of its `whole`. */
void tap_arrived(struct tap *tap, int32_t row, bool rtcp, const struct address *source, const uint8_t *data,
                 size_t bytes, size_t whole);
/* A datagram left through one half of a row's pair. */
void tap_sent(struct tap *tap, int32_t row, bool rtcp, const struct address *destination, const uint8_t *data,
              size_t bytes);

#endif
