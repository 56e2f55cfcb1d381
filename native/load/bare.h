/* The physical limit: a relay that does nothing else (Linux).
 *
 * What does it do?
 *   Whatever arrives on fds[i] leaves on fds[i ^ 1], untouched: no statistics, no checks, no clock.  What a
 * packet costs here is what the kernel asks for one UDP datagram in and one out.
 *
 * How do I use it?
 *   Connect every socket to its phone, two sockets a call, and run; it ends with the process.
 */
#ifndef TANDEM_LOAD_BARE_H
#define TANDEM_LOAD_BARE_H

#include <stddef.h>
#include <stdint.h>

/* Does not return; -1 with errno when epoll cannot be had. */
int bare_relay(const int32_t *fds, size_t n);

#endif
