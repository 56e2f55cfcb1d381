/* Extended reports (RFC 3611): the VoIP metrics block, taken in and written.
 *
 * Nobody announces that he understands them, so ours go to those who send some.
 */
#ifndef TANDEM_PLANE_XR_H
#define TANDEM_PLANE_XR_H

#include "plane/plane.h"

/* An XR packet of `bytes` bytes, header and all. */
void xr_take(struct row *row, const uint8_t *packet, size_t bytes);
/* Write one.  Returns its bytes. */
size_t xr_write(const struct row *row, uint8_t *out);

#endif
