#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/vectors.h"

/* 4.6.5: mix a block with its pitch-synchronous surround, as far as the power of what is changed stays below
 * 5 % (A0) of the block's.  With w00, w11, w10 the energies of block and surround and their product:
 *     first try   C * surround,  C = sqrt(w11 / w00)
 *     else        A * surround + B * block,  A = sqrt((A0 - A0^2/4) w00^2 / (w11 w00 - w10^2)),
 *                                            B = 1 - A0/2 - A w10 / w00 */
enum { A0_Q14 = 819, A0_LESS_QUARTER_SQUARE_Q34 = 848256041, HALF_A0_Q30 = 26843546, ONE_Q14 = 16384 };

struct energies {
    int32_t block, surround, product; /* w00, w11, w10 */
    int shift;
};

struct mix {
    int16_t surround_q9, block_q14;
};

/* The codec scaled for 80 products of 26 bits before 2016-06-08, too little for loud blocks: there the sums
 * saturate. */
static struct energies measured(const int16_t *current, const int16_t *surround) {
    const int peak =
        max_int(ilbc_peak(current, ILBC_ENHANCER_BLOCK), ilbc_peak(surround, ILBC_ENHANCER_BLOCK));
    const int shift = max_int(0, 2 * bits_of(peak) - 26);
    return (struct energies){ilbc_dot(current, current, ILBC_ENHANCER_BLOCK, shift),
                             ilbc_dot(surround, surround, ILBC_ENHANCER_BLOCK, shift),
                             ilbc_dot(surround, current, ILBC_ENHANCER_BLOCK, shift), shift};
}

/* Write C * surround and return the energy of the change, Q-6. */
ILBC_INLINE int32_t without_constraint(int16_t *restrict out, const int16_t *restrict current,
                                       const int16_t *restrict surround, int16_t c_q11) {
    int64_t change = 0;
    for (int i = 0; i < ILBC_ENHANCER_BLOCK; i++)
        out[i] = (int16_t)((c_q11 * surround[i] + 1024) >> 11);
    for (int i = 0; i < ILBC_ENHANCER_BLOCK; i++) {
        const int16_t off = (int16_t)((current[i] - out[i]) >> 3);
        change += off * off;
    }
    return saturate32(change);
}

/* (w11 w00 - w10^2) / w00^2, Q16 */
static int32_t independence(const struct energies *w, int bits_block) {
    const int down = max_int(bits_block, bits_of(w->surround)) - 15;
    const int16_t block = (int16_t)shift_by(w->block, -down),
                  surround = (int16_t)shift_by(w->surround, -down);
    const int16_t product = (int16_t)shift_by(w->product, -down);
    const int32_t square = block * block, rest = surround * block - product * product;
    return square > 65536 ? divide(max_int(0, rest), (int16_t)(square >> 16)) : 65536;
}

static int16_t surround_share_q9(int32_t independence_q16) {
    const int down = max_int(0, bits_of(independence_q16) - 15);
    const int16_t denominator = (int16_t)(independence_q16 >> down);
    return (int16_t)square_root(divide(A0_LESS_QUARTER_SQUARE_Q34 >> down, denominator));
}

static struct mix constrained(const struct energies *w, int bits_block, int bits_product) {
    const struct mix as_it_was = {0, ONE_Q14};
    const int32_t independence_q16 = independence(w, bits_block);
    if (independence_q16 <= 7)
        return as_it_was; /* the cycles are alike, there is nothing to smooth */
    const int16_t a_q9 = surround_share_q9(independence_q16);
    const int up = 31 - bits_product, down = bits_product - 10;
    const int both = max_int(0, bits_block - down - 15);
    const int32_t product = w->product == 0 ? 0 : shift_left(w->product, up) >> both;
    const int32_t block = shift_by(w->block, -down) >> both;
    if (product <= 0 || block <= 0)
        return as_it_was;
    const int32_t ratio = divide(product, (int16_t)block);
    int32_t b_q30 = 0;
    if (bits_of(ratio) + bits_of(a_q9) <= 31)
        b_q30 = (1 << 30) - HALF_A0_Q30 - a_q9 * ratio;
    return (struct mix){a_q9, (int16_t)(b_q30 >> 16)};
}

ILBC_CLONES void ilbc_smooth(int16_t *restrict out, const int16_t *restrict current,
                             const int16_t *restrict surround) {
    struct energies w = measured(current, surround);
    const int bits_block = bits_of(w.block), bits_surround = bits_of(w.surround);
    const int bits_product = bits_of(absolute(w.product));
    /* w00 in 31 bits and w11 in 15, 16 apart: their quotient is in Q16, its root in Q11 after 6 more */
    const int up_surround = min_int(15 - bits_surround, 15 - bits_block), up_block = up_surround + 16;
    const int32_t block = shift_left(w.block, up_block);
    const int16_t narrow = (int16_t)shift_by(w.surround, up_surround);
    const int16_t c_q11 = narrow > 64 ? (int16_t)square_root(shift_left(divide(block, narrow), 6)) : 1;
    const int32_t change = without_constraint(out, current, surround, c_q11);

    const int down = 6 - w.shift + up_block;
    const int32_t allowed = down > 31 ? 0 : shift_by(A0_Q14 * (block >> 14), -down);
    if (change <= allowed)
        return;
    w.block = max_int(w.block, 1);
    const struct mix mix = constrained(&w, bits_block, bits_product);
    for (int i = 0; i < ILBC_ENHANCER_BLOCK; i++)
        out[i] = (int16_t)((int16_t)((mix.surround_q9 * surround[i]) >> 9) +
                           (int16_t)((mix.block_q14 * current[i]) >> 14));
}
