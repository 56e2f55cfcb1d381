/* Burst counting after RFC 3611 appendix A.2, and the E-model in sums and products alone. */
#include "plane/quality.h"

enum { DELAY_STEP_MS = 25, UNIT_MS = 10, RATE_KHZ = 8 };

/* G.107's Id times 10, for one-way delays of 0, 25, ... ms */
static const uint16_t DELAY_IMPAIRMENT[] = {
    0,   0,   0,   0,   0,   0,   2,   10,  30,  59,  89,  119, 148, 174, 198, 220, 241,
    259, 276, 292, 306, 319, 331, 342, 352, 362, 370, 378, 385, 392, 398, 403, 408,
};
static const int LAST_DELAY = sizeof DELAY_IMPAIRMENT / sizeof *DELAY_IMPAIRMENT - 1;

/* What a codec costs, and how well it bears loss: G.113 Appendix I, with each codec's concealment. */
static const struct {
    double ie, bpl;
    int ahead_ms; /* its own delay beyond the frame */
} CODEC_COST[CODECS] = {
    [CODEC_PCMU] = {0, 25.1, 4},   [CODEC_PCMA] = {0, 25.1, 4},    [CODEC_G729] = {11, 19, 5},
    [CODEC_ILBC_20] = {11, 32, 5}, [CODEC_ILBC_30] = {11, 32, 10},
};
static const double BASE_RATING = 93.2, CLEAR_BPL = 4.3; /* G.711 that nobody conceals */

static void count_loss(struct row *row) {
    const uint32_t since = row->burst_packets;
    if (since >= QUALITY_GAP) {
        if (row->burst_lost == 1)
            row->burst_c14++;
        else
            row->burst_c13++;
        row->burst_lost = 1;
        row->burst_c11 += since;
    } else {
        row->burst_lost++;
        if (since == 0) {
            row->burst_c33++;
        } else {
            row->burst_c23++;
            row->burst_c22 += since - 1;
        }
    }
    row->burst_packets = 0;
}

void quality_lost(struct row *row, uint32_t lost) {
    for (uint32_t i = 0; i < lost && i < QUALITY_GAP; i++) /* a longer hole says nothing more */
        count_loss(row);
}

static double share(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

static uint16_t milliseconds(double packets, const struct row *row) {
    const double ms = packets * row->slot_span * UNIT_MS;
    return (uint16_t)(ms > UINT16_MAX ? UINT16_MAX : ms);
}

struct bursts quality_bursts(const struct row *row) {
    const double c11 = (double)row->burst_c11 + row->burst_packets, c13 = row->burst_c13,
                 c14 = row->burst_c14, c22 = row->burst_c22, c23 = row->burst_c23, c33 = row->burst_c33;
    const double p32 = share(c23, c13 + c23 + c33), p23 = c22 + c23 < 1 ? 1 : 1 - c22 / (c22 + c23);
    const double gap = c13 > 0 ? (c11 + c14 + c13) / c13 : c11 + c14;
    const double total = c11 + c14 + c13 + c22 + c23 + c13 + c23 + c33;
    return (struct bursts){
        .burst_density = (uint8_t)(c13 + c23 + c33 > 0 ? 255 * share(p23, p23 + p32) : 0),
        .gap_density = (uint8_t)(255 * share(c14, c11 + c14)),
        .burst_ms = milliseconds(c13 > 0 ? total / c13 - gap : 0, row),
        .gap_ms = milliseconds(gap, row),
    };
}

uint16_t quality_mos_100(double r) {
    if (r <= 0)
        return 100;
    const double mos = r >= 100 ? 4.5 : 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
    return (uint16_t)(100 * (mos < 1 ? 1 : mos) + 0.5);
}

/* From mouth to ear, as far as we know. */
static int delay_ms(const struct row *row) {
    const double ms = row->round_trip * 500 + (row->mode == MODE_TICK ? row->play_delay / RATE_KHZ : 0) +
                      row->slot_span * UNIT_MS +
                      CODEC_COST[row->heard_codec < CODECS ? row->heard_codec : 0].ahead_ms;
    return ms < 0 ? 0 : ms > 10000 ? 10000 : (int)ms;
}

static double delay_impairment(int ms) {
    const int step = ms / DELAY_STEP_MS;
    return DELAY_IMPAIRMENT[step < LAST_DELAY ? step : LAST_DELAY] / 10.0;
}

void quality_rate(struct row *row) {
    const uint32_t expected = row->rx_cycles + row->rx_max_sequence - row->rx_base_sequence + 1;
    const uint32_t late = row->verdicts[DROP_OLD];
    const int32_t due = (int32_t)(expected - row->rated_expected),
                  came = (int32_t)(row->rx_received - row->rated_received),
                  missed = due - came + (int32_t)(late - row->rated_late);
    row->rated_expected = expected;
    row->rated_received = row->rx_received;
    row->rated_late = late;
    if (!row->rx_valid || due <= 0 || !codec_has_frames(row->heard_codec))
        return;
    const double percent = missed <= 0 ? 0 : missed >= due ? 100 : 100.0 * missed / due;
    const double ie = CODEC_COST[row->heard_codec].ie, bpl = CODEC_COST[row->heard_codec].bpl;
    const double robust = row->clear && codec_is_g711(row->heard_codec) ? CLEAR_BPL : bpl;
    const double r = BASE_RATING - delay_impairment(delay_ms(row)) - ie -
                     (percent > 0 ? (95 - ie) * percent / (percent + robust) : 0);
    row->r_factor = (uint8_t)(r < 0 ? 0 : r + 0.5);
    row->mos_100 = quality_mos_100(r);
}
