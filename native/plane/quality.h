/* How good a row's audio is: bursts of loss (RFC 3611 section 4.7), and the E-model's guess at an opinion
 * (ITU-T G.107).
 *
 * Losses closer together than QUALITY_GAP packets are one burst.  What counts as lost is what was never here
 * in its turn: by sequence numbers at arrival, whether it is relayed or played.
 */
#ifndef TANDEM_PLANE_QUALITY_H
#define TANDEM_PLANE_QUALITY_H

#include "plane/plane.h"

enum { QUALITY_GAP = 16 };

/* `lost` packets in a row are missing; the next one is here. */
void quality_lost(struct row *row, uint32_t lost);

struct bursts {
    uint8_t burst_density, gap_density; /* of 256 */
    uint16_t burst_ms, gap_ms;          /* how long they last on average */
};
struct bursts quality_bursts(const struct row *row);

/* Rate what came since the last call: row->r_factor and row->mos_100. */
void quality_rate(struct row *row);

/* MOS times 100 of an R factor. */
uint16_t quality_mos_100(double r);

#endif
