/* How late does a bare timer loop wake up on this machine?  The yardstick for the lateness of our ticks.
 *
 * What does it do?  Sleeps until start + i * period, absolutely, n times, and notes how late each waking was.
 * How does it work?  clock_nanosleep on the monotonic clock; nothing else happens in the loop.
 * How do I use it?  On the same core and at the same priority as what is compared, in alternate minutes.
 */
#ifndef TANDEM_IO_METRONOME_H
#define TANDEM_IO_METRONOME_H

#include <stddef.h>

/* late[0..n) in seconds. */
void metronome(double period_s, size_t n, double *late);

#endif
