#include "g729/gains.h"

#include "g729/filters.h"
#include "g729/fixed.h"
#include "g729/lanes.h"
#include "g729/tables.h"

enum { FIRST_TRIED = 4, FIRST_ENTRIES = 8, SECOND_TRIED = 8, SECOND_ENTRIES = 16 };

/* The gains that would be best if they were free. */
struct optimum {
    int16_t pitch_q9, code_q2;
};

static struct g729_product normalized(int32_t x, int exponent) {
    const int shift = norm32(x);
    return (struct g729_product){high16(shl32(x, shift)), (int16_t)(exponent + shift - 16)};
}

/* 4 yy zz - yz^2, in one exponent. */
static struct g729_product determinant(const struct g729_gain_products *p) {
    const int32_t squares = mul32(p->yy.mantissa, p->zz.mantissa);
    const int32_t mixed = mul32(p->yz2.mantissa, p->yz2.mantissa);
    const int exponent1 = p->yy.exponent + p->zz.exponent - 1, exponent2 = 2 * p->yz2.exponent + 1;
    if (exponent1 > exponent2)
        return normalized(sub32(shr32(squares, exponent1 - exponent2), mixed), exponent2);
    return normalized(sub32(squares, shr32(mixed, exponent2 - exponent1)), exponent1);
}

/* 2 a b - c d, halved, in one exponent. */
static struct g729_product numerator(struct g729_product a, struct g729_product b, struct g729_product c,
                                     struct g729_product d) {
    const int32_t ab = mul32(a.mantissa, b.mantissa), cd = mul32(c.mantissa, d.mantissa);
    const int exponent1 = a.exponent + b.exponent, exponent2 = c.exponent + d.exponent + 1;
    if (exponent1 > exponent2)
        return normalized(sub32(shr32(ab, exponent1 - exponent2 + 1), shr32(cd, 1)), exponent2 - 1);
    return normalized(sub32(shr32(ab, 1), shr32(cd, exponent2 - exponent1 + 1)), exponent1 - 1);
}

/* -numerator / determinant with the binary point at q. */
static int16_t quotient(struct g729_product numerator, struct g729_product inverse, int q) {
    const int shift = numerator.exponent + inverse.exponent - (q + 16 - 1);
    return high16(shr32(mul32(numerator.mantissa, inverse.mantissa), shift));
}

static struct optimum free_gains(const struct g729_gain_products *p) {
    const struct g729_product d = determinant(p);
    const struct g729_product inverse = {neg16(div16(16384, d.mantissa)), (int16_t)(14 + 15 - d.exponent)};
    return (struct optimum){
        quotient(numerator(p->zz, p->minus_2xy, p->minus_2xz, p->yz2), inverse, 9),
        quotient(numerator(p->yy, p->minus_2xz, p->minus_2xy, p->yz2), inverse, 2),
    };
}

/* How many of the thresholds the optimum has passed; they scale with the predicted gain and its sign. */
static int passed(int32_t position, int16_t predicted_q4, const int16_t *thresholds, int n, int shift) {
    int count = 0;
    for (; count < n; count++) {
        const int32_t beyond = sub32(position, shr32(mul32(thresholds[count], predicted_q4), shift));
        if (predicted_q4 > 0 ? beyond <= 0 : beyond >= 0)
            break;
    }
    return count;
}

/* 3.9.2: the first candidates of both stages, from where the optimum lies between two lines. */
static void preselect(int *first1, int *first2, struct optimum optimum, int16_t predicted_q4) {
    enum { INVERSE = -17103 };
    const int32_t slope_q20 = mul32(g729_gain_preselect[0][0], optimum.pitch_q9);

    int16_t line = high16(add32(slope_q20, g729_gain_preselect_fine[1][1] >> 15));
    int32_t distance = sub32(shl32(optimum.code_q2, 7), mul32(line, predicted_q4));
    const int32_t x_q15 = mul32(high16(shl32(distance, 2)), INVERSE);

    line = mul16(high16(sub32(slope_q20, g729_gain_preselect_fine[0][1] >> 10)), predicted_q4);
    const int32_t weighted = mul32(g729_gain_preselect[0][0], optimum.code_q2);
    distance = sub32(mul32(line, g729_gain_preselect[1][0]), shr32(weighted, 3));
    const int32_t y_q16 = mul32(high16(shl32(distance, 2)), INVERSE);

    *first1 = passed(y_q16, predicted_q4, g729_gain_threshold1_q14, FIRST_ENTRIES - FIRST_TRIED, 3);
    *first2 = passed(x_q15, predicted_q4, g729_gain_threshold2_q15, SECOND_ENTRIES - SECOND_TRIED, 5);
}

/* The five products in one exponent. */
struct coefficients {
    struct dpf yy, minus_2xy, zz, minus_2xz, yz2;
};

static struct coefficients align(const struct g729_gain_products *p, int16_t predicted_q) {
    const struct g729_product *in[5] = {&p->yy, &p->minus_2xy, &p->zz, &p->minus_2xz, &p->yz2};
    const int exponent[5] = {p->yy.exponent + 13, p->minus_2xy.exponent + 14,
                             p->zz.exponent + 2 * predicted_q - 21, p->minus_2xz.exponent + predicted_q - 3,
                             p->yz2.exponent + predicted_q - 4};
    struct dpf out[5];
    int least = exponent[0];
    for (int i = 1; i < 5; i++)
        least = exponent[i] < least ? exponent[i] : least;
    for (int i = 0; i < 5; i++)
        out[i] = dpf_of(shr32(from_high16(in[i]->mantissa), exponent[i] - least));
    return (struct coefficients){out[0], out[1], out[2], out[3], out[4]};
}

LANES_INLINE lanes add_saturating(lanes a, lanes b) {
    const lanes sum = (lanes)((wrapping_lanes)a + (wrapping_lanes)b);
    return lanes_select(((a ^ sum) & (b ^ sum)) >> 31, (a >> 31) ^ INT32_MAX, sum);
}

/* a * b for b >= 0: nothing saturates. */
LANES_INLINE lanes mul_split(struct dpf a, lanes b) {
    return (lanes_mul16(b, lanes_of(a.high)) + (lanes_mul16(b, lanes_of(a.low)) >> 15)) * 2;
}

/* Here the lanes are pairs of gains, of which none is negative. */
LANES_INLINE lanes distortion(const struct coefficients *c, lanes pitch_q14, lanes code) {
    lanes sum = mul_split(c->yy, lanes_mul16(pitch_q14, pitch_q14) >> 15);
    sum = add_saturating(sum, mul_split(c->minus_2xy, pitch_q14));
    sum = add_saturating(sum, mul_split(c->zz, lanes_mul16(code, code) >> 15));
    sum = add_saturating(sum, mul_split(c->minus_2xz, code));
    return add_saturating(sum, mul_split(c->yz2, lanes_mul16(code, pitch_q14) >> 15));
}

/* An entry of the first stage with LANES of the second. */
LANES_INLINE lanes distortions(const struct coefficients *c, const int16_t first[2],
                               const int16_t (*second)[2], int16_t predicted, bool tame) {
    enum { TAME_LIMIT_Q14 = 16383 /* 0.9999 */ };
    lanes pitch_q14, correction;
    for (int l = 0; l < LANES; l++) {
        pitch_q14[l] = first[0] + second[l][0];
        correction[l] = (first[1] + second[l][1]) >> 1;
    }
    const lanes sum = distortion(c, pitch_q14, lanes_mul16(correction, lanes_of(predicted)) >> 15);
    const lanes wild = lanes_above(pitch_q14, lanes_of(TAME_LIMIT_Q14 - 1));
    return tame ? lanes_select(wild, lanes_of(INT32_MAX), sum) : sum;
}

/* From the first candidates to the best of all; the first of equals wins. */
static void search_entries(int *entry1, int *entry2, const struct coefficients *c, int16_t predicted,
                           bool tame) {
    const int first1 = *entry1, first2 = *entry2;
    int32_t least = INT32_MAX;
    for (int i = first1; i < first1 + FIRST_TRIED; i++)
        for (int j = first2; j < first2 + SECOND_TRIED; j += LANES) {
            const lanes sum =
                distortions(c, g729_gain_codebook1[i], &g729_gain_codebook2[j], predicted, tame);
            for (int l = 0; l < LANES; l++)
                if (sum[l] < least) {
                    least = sum[l];
                    *entry1 = i;
                    *entry2 = j + l;
                }
        }
}

uint16_t g729_quantize_gains(struct g729_gain_memory *memory, struct g729_gains *gains,
                             const struct g729_gain_products *products, const int16_t *code_q13, bool tame) {
    enum { TAME_OPTIMUM_Q9 = 481 /* 0.94 */ };
    const struct g729_product predicted = g729_predict_gain(memory, code_q13);
    struct optimum optimum = free_gains(products);
    if (tame && optimum.pitch_q9 > TAME_OPTIMUM_Q9)
        optimum.pitch_q9 = TAME_OPTIMUM_Q9;
    const int16_t predicted_q4 = predicted.exponent >= 4
                                     ? shr16(predicted.mantissa, predicted.exponent - 4)
                                     : high16(shl32(predicted.mantissa, 20 - predicted.exponent));
    const struct coefficients c = align(products, predicted.exponent);
    int entry1, entry2;
    preselect(&entry1, &entry2, optimum, predicted_q4);
    search_entries(&entry1, &entry2, &c, predicted.mantissa, tame);
    *gains = g729_gains_of_entries(memory, entry1, entry2, predicted);
    return (uint16_t)(g729_gain_index1_of[entry1] << 4 | g729_gain_index2_of[entry2]);
}
