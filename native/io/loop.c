#include "io/loop.h"

#include "io/socket_address.h"

#include <errno.h>
#include <math.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_PER_ROUND = 128, CONTROL_BIT = 63 };

static double monotonic(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int loop_open(struct loop *loop, struct plane *plane) {
    memset(loop, 0, sizeof *loop);
    loop->plane = plane;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll_fd < 0 ? -1 : 0;
}

void loop_close(struct loop *loop) {
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    loop->epoll_fd = -1;
}

static int add(struct loop *loop, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

int loop_attach(struct loop *loop, int32_t index) {
    const struct row *row = &loop->plane->rows[index];
    if (loop->tap)
        tap_attach(loop->tap, index, row->rtp_fd, row->rtcp_fd);
    if (add(loop, row->rtp_fd, (uint64_t)index << 1) < 0)
        return -1;
    if (row->rtcp_fd >= 0 && add(loop, row->rtcp_fd, (uint64_t)index << 1 | 1) < 0)
        return -1;
    return 0;
}

void loop_detach(struct loop *loop, int32_t index) {
    const struct row *row = &loop->plane->rows[index];
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, row->rtp_fd, NULL);
    if (row->rtcp_fd >= 0)
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, row->rtcp_fd, NULL);
}

int loop_watch(struct loop *loop, int fd, uint32_t tag) {
    return add(loop, fd, UINT64_C(1) << CONTROL_BIT | tag);
}

void loop_unwatch(struct loop *loop, int fd) {
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* RFC 5761: both on one port, when signalling names the same port for both. */
static bool muxed(const struct row *row) {
    return address_known(&row->remote) && address_same(&row->remote, &row->remote_rtcp);
}

/* Where a row's RTP (RTCP) goes: where it was heard from, else where signalling said. */
static struct address destination(const struct row *row, bool rtcp) {
    struct address address = address_known(&row->latched) ? row->latched : row->remote;
    if (!rtcp || muxed(row))
        return address;
    if (address_known(&row->remote_rtcp) && address_same_ip(&row->remote_rtcp, &address))
        return row->remote_rtcp;
    address.port++;
    return address;
}

static bool send_one(struct loop *loop, const struct send *send, bool rtcp) {
    const struct row *row = &loop->plane->rows[send->row];
    struct address address = destination(row, rtcp);
    const bool other_half = rtcp && !muxed(row);
    int fd = other_half ? row->rtcp_fd : row->rtp_fd;
    if (fd < 0 || !address_known(&address))
        return false;
    union socket_address to;
    socklen_t length = to_socket(&to, &address);
    if (sendto(fd, send->data, send->bytes, MSG_DONTWAIT | MSG_NOSIGNAL, &to.any, length) >= 0) {
        loop->sent++;
        if (loop->tap)
            tap_sent(loop->tap, send->row, other_half, &address, send->data, send->bytes);
        return true;
    }
    loop->send_errors++;
    return false;
}

size_t loop_send(struct loop *loop, const struct send *sends, size_t n, bool rtcp) {
    size_t sent = 0;
    for (size_t i = 0; i < n; i++)
        sent += send_one(loop, &sends[i], rtcp);
    return sent;
}

static void keep_for_edge(struct loop *loop, int32_t row, const struct address *source, const uint8_t *data,
                          size_t bytes) {
    if (loop->edges_n == EDGE_PACKETS) {
        loop->edges_lost++;
        return;
    }
    struct edge_packet *edge = &loop->edges[loop->edges_n++];
    edge->row = row;
    edge->bytes = (uint32_t)bytes;
    edge->source = *source;
    memcpy(edge->data, data, bytes);
}

static void take_packet(struct loop *loop, int32_t index, bool rtcp, double now) {
    const struct row *row = &loop->plane->rows[index];
    uint8_t data[PACKET_BYTES];
    union socket_address from;
    socklen_t length = sizeof from;
    ssize_t got = recvfrom(rtcp ? row->rtcp_fd : row->rtp_fd, data, sizeof data, MSG_DONTWAIT | MSG_TRUNC,
                           &from.any, &length);
    if (got <= 0)
        return;
    loop->received++;
    struct address source = from_socket(&from);
    if (loop->tap)
        tap_arrived(loop->tap, index, rtcp, &source, data,
                    (size_t)got > sizeof data ? sizeof data : (size_t)got, (size_t)got);
    struct send sends[SEND_MAX];
    int n_sends;
    size_t bytes = got > PACKET_BYTES ? 0 : (size_t)got; /* too long to be one of ours: malformed */
    enum verdict verdict = plane_arrive(loop->plane, index, &source, data, bytes, rtcp, now, sends, &n_sends);
    loop_send(loop, sends, (size_t)n_sends, false);
    if (verdict == VERDICT_EDGE)
        keep_for_edge(loop, index, &source, data, bytes);
}

/* One epoll round of at most `timeout_ms`.  Returns the watched descriptors that are ready, or -1. */
static int serve_round(struct loop *loop, int timeout_ms, uint32_t ready[LOOP_READY_MAX], bool *idle) {
    struct epoll_event events[EVENTS_PER_ROUND];
    int n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_ROUND, timeout_ms);
    *idle = n <= 0;
    if (n < 0)
        return errno == EINTR ? 0 : -1;
    loop->wakeups++;
    double now = monotonic();
    int n_ready = 0;
    for (int i = 0; i < n; i++) {
        uint64_t tag = events[i].data.u64;
        if (tag >> CONTROL_BIT) {
            if (n_ready < LOOP_READY_MAX)
                ready[n_ready++] = (uint32_t)tag;
        } else {
            take_packet(loop, (int32_t)(tag >> 1), tag & 1, now);
        }
    }
    return n_ready;
}

static int sleep_precisely(const struct loop *loop, double seconds) {
    struct timespec t = {0, (long)(seconds * 1e9)};
    struct epoll_event event;
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
    return epoll_pwait2(loop->epoll_fd, &event, 1, &t, NULL);
#else
    (void)t;
    return epoll_wait(loop->epoll_fd, &event, 1, (int)ceil(seconds * 1e3));
#endif
}

int loop_wait(struct loop *loop, double deadline, uint32_t ready[LOOP_READY_MAX]) {
    bool idle = false;
    do {
        int n = serve_round(loop, 0, ready, &idle);
        if (n != 0)
            return n;
        double before = monotonic();
        if (before >= deadline)
            return 0;
        if (!idle)
            continue;
        if (sleep_precisely(loop, deadline - before) < 0 && errno != EINTR)
            return -1;
        loop->idle_s += monotonic() - before;
    } while (true);
}
