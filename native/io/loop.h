/* The live rim of the media plane: sockets, epoll and the monotonic clock (Linux).
 *
 * What does it do?
 *   loop_wait() sits between two ticks: it takes every packet as it arrives, gives it to plane_arrive() and
 * sends what that returns at once, until the deadline or until a watched descriptor (the switch, the broker)
 * has something to read.  loop_send() sends what a tick has made.
 *
 * How does it work?
 *   One epoll instance; level-triggered, one recvfrom per readable socket and round, so no socket is asked in
 * vain and none starves the others.  No allocation after loop_open().
 *
 * How do I use it?
 *   loop_open(), loop_attach() for each row, loop_watch() for control descriptors, then loop_wait() and
 * loop_send() in turn.  Elsewhere than on Linux gateway/transport/media_io.py does the same with the standard
 * library.
 */
#ifndef TANDEM_IO_LOOP_H
#define TANDEM_IO_LOOP_H

#include "io/tap.h"
#include "plane/plane.h"

enum { EDGE_PACKETS = 64, LOOP_READY_MAX = 16 };

/* A packet that the plane does not deal with (STUN, DTLS): kept for the process that does. */
struct edge_packet {
    int32_t row;
    uint32_t bytes;
    struct address source;
    uint8_t data[PACKET_BYTES];
};

struct loop {
    struct plane *plane;
    struct tap *tap; /* NULL = nothing is captured */
    int epoll_fd;
    uint64_t received, sent, send_errors, wakeups, edges_lost;
    double idle_s; /* how long loop_wait() has slept */
    int32_t edges_n;
    struct edge_packet edges[EDGE_PACKETS];
};

/* 0, or -1 with errno. */
int loop_open(struct loop *loop, struct plane *plane);
void loop_close(struct loop *loop);
int loop_attach(struct loop *loop, int32_t row);
void loop_detach(struct loop *loop, int32_t row);
int loop_watch(struct loop *loop, int fd, uint32_t tag);
void loop_unwatch(struct loop *loop, int fd);

/* Serve until `deadline` (monotonic s; 0 = only what is there already).  Returns how many watched descriptors
 * are ready, their tags in ready[]; -1 with errno. */
int loop_wait(struct loop *loop, double deadline, uint32_t ready[LOOP_READY_MAX]);
/* Send each packet through its row's socket to where the row sends; `rtcp` picks the pair's other half. */
size_t loop_send(struct loop *loop, const struct send *sends, size_t n, bool rtcp);

#endif
