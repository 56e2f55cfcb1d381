#include "load/load.h"

#include "plane/rtp.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS_PER_PACKET = 20, SAMPLES = 160, EVENTS = 128 };
static const double SLOT_S = 0.001, LATE_S = 0.002;

static double monotonic(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void say(struct phone *phone) {
    uint8_t packet[RTP_HEADER_BYTES + LOAD_PAYLOAD_BYTES];
    const struct song *song = phone->song;
    rtp_write(packet, phone->sent == 0, phone->payload_type, phone->sequence++, phone->timestamp,
              phone->ssrc);
    memcpy(packet + RTP_HEADER_BYTES, song->payloads + (size_t)phone->line * song->bytes, song->bytes);
    phone->line = (phone->line + 1) % song->packets;
    phone->timestamp += SAMPLES;
    if (send(phone->fd, packet, RTP_HEADER_BYTES + song->bytes, MSG_DONTWAIT) < 0)
        phone->send_errors++;
    phone->sent++;
}

static void count(struct phone *phone, const struct rtp *rtp, double now, struct load_result *result) {
    if (phone->heard) {
        int16_t ahead = (int16_t)(rtp->sequence - phone->heard_sequence);
        if (ahead <= 0) {
            phone->reordered++;
            return;
        }
        phone->lost += (uint32_t)ahead - 1;
        double spacing = now - phone->heard_at;
        if (spacing > phone->spacing_max_s)
            phone->spacing_max_s = spacing;
        double bin = spacing * 1000 * LOAD_BINS_PER_MS;
        result->spacing[bin >= LOAD_SPACING_BINS ? LOAD_SPACING_BINS - 1 : (int)bin]++;
    }
    phone->received++;
    phone->heard = 1;
    phone->heard_sequence = rtp->sequence;
    phone->heard_at = now;
}

static void listen_once(int epoll_fd, struct phone *phones, int timeout_ms, struct load_result *result) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);
    double now = monotonic();
    for (int i = 0; i < n; i++) {
        struct phone *phone = &phones[events[i].data.u64];
        uint8_t data[1500];
        ssize_t got = recv(phone->fd, data, sizeof data, MSG_DONTWAIT);
        struct rtp rtp;
        if (got <= 0)
            continue;
        if (packet_kind(data, (size_t)got) == PACKET_RTP && rtp_read(&rtp, data, (size_t)got))
            count(phone, &rtp, now, result);
        else
            phone->foreign++;
    }
}

static void forget(struct phone *phones, size_t n, struct load_result *result) {
    for (size_t i = 0; i < n; i++) {
        phones[i].received = phones[i].lost = phones[i].reordered = phones[i].foreign = 0;
        phones[i].spacing_max_s = 0;
        phones[i].heard = 0;
    }
    memset(result, 0, sizeof *result);
}

static void note_lateness(struct load_result *result, double late_s) {
    result->slots++;
    result->late_slots += late_s > LATE_S;
    if (late_s > result->late_max_s)
        result->late_max_s = late_s;
}

int load_run(struct phone *phones, size_t n, double seconds, double settle_s, struct load_result *result) {
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, phones[i].fd, &event) < 0) {
            close(epoll_fd);
            return -1;
        }
    }
    forget(phones, n, result);
    double start = monotonic(), end = start + seconds;
    bool settled = false;
    for (uint64_t slot = 0; start + (double)slot * SLOT_S < end; slot++) {
        double due = start + (double)slot * SLOT_S;
        while (monotonic() < due)
            listen_once(epoll_fd, phones, 0, result);
        if (!settled && due - start >= settle_s) {
            settled = true;
            forget(phones, n, result);
        }
        note_lateness(result, monotonic() - due);
        for (size_t i = slot % SLOTS_PER_PACKET; i < n; i += SLOTS_PER_PACKET)
            say(&phones[i]);
    }
    for (double linger = monotonic() + 0.05; monotonic() < linger;)
        listen_once(epoll_fd, phones, 0, result);
    close(epoll_fd);
    return 0;
}
