#include "load/bare.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 128, DATAGRAM_BYTES = 1500 };

static bool watch(int epoll_fd, const int32_t *fds, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i], &event) < 0)
            return false;
    }
    return true;
}

static void pass_on(const int32_t *fds, size_t from) {
    uint8_t datagram[DATAGRAM_BYTES];
    ssize_t got = recv(fds[from], datagram, sizeof datagram, MSG_DONTWAIT);
    if (got > 0)
        (void)!send(fds[from ^ 1], datagram, (size_t)got, MSG_DONTWAIT);
}

int bare_relay(const int32_t *fds, size_t n) {
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        return -1;
    bool going = watch(epoll_fd, fds, n);
    while (going) {
        struct epoll_event events[EVENTS];
        int arrived = epoll_wait(epoll_fd, events, EVENTS, -1);
        going = arrived >= 0 || errno == EINTR;
        for (int i = 0; i < arrived; i++)
            pass_on(fds, events[i].data.u64);
    }
    int saved = errno;
    close(epoll_fd);
    errno = saved;
    return -1;
}
