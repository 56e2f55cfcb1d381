/* Packet indices: 48 bits of RTP guessed from 16, and which of the last 64 were heard (RFC 3711 section 3.3).
 */
#ifndef TANDEM_SRTP_REPLAY_H
#define TANDEM_SRTP_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum { REPLAY_WINDOW = 64, SEQUENCES_HALF = 1 << 15 };

/* Section 3.3.1 and appendix A: the roll-over that brings `sequence` nearest to the highest index so far. */
static inline uint32_t nearest_roll_over(uint32_t roll_over, uint16_t highest, uint16_t sequence) {
    int32_t ahead = (int32_t)sequence - highest;
    if (ahead > SEQUENCES_HALF)
        return roll_over - 1;
    return ahead < -SEQUENCES_HALF ? roll_over + 1 : roll_over;
}

static inline uint64_t packet_index(uint32_t roll_over, uint16_t sequence) {
    return (uint64_t)roll_over << 16 | sequence;
}

static inline bool replay_is_old(uint64_t highest, uint64_t index) {
    return index + REPLAY_WINDOW <= highest;
}

/* Was this one heard?  It is not old. */
static inline bool replay_heard(uint64_t window, uint64_t highest, uint64_t index) {
    return index <= highest && window >> (highest - index) & 1;
}

/* The window with `index` in it; `highest` is the one before. */
static inline uint64_t replay_note(uint64_t window, uint64_t highest, uint64_t index) {
    if (index <= highest)
        return window | UINT64_C(1) << (highest - index);
    return index - highest < REPLAY_WINDOW ? window << (index - highest) | 1 : 1;
}

#endif
