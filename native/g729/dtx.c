#include "g729/dtx.h"

#include "g729/fixed.h"
#include "g729/lsp.h"
#include "g729/noise.h"
#include "g729/tables.h"

#include <string.h>

enum { SEND_THRESHOLD_Q15 = 4855, MEAN_THRESHOLD_Q15 = 3161 };

void g729_dtx_reset(struct g729_dtx *dtx) {
    memset(dtx, 0, sizeof *dtx);
    for (int i = 0; i < G729_DTX_FRAMES; i++)
        dtx->recent[i].exponent = 40;
    for (int i = 0; i < G729_DTX_SUMS; i++)
        dtx->sums[i].exponent = 40;
    for (int i = 0; i < G729_DTX_FRAMES; i++)
        dtx->energies[i].exponent = 40;
    g729_dtx_restart(dtx);
}

void g729_dtx_restart(struct g729_dtx *dtx) {
    dtx->seed = G729_NOISE_SEED;
}

/* B.4.1.1: add correlations in one exponent, with two bits of room, and normalise. */
static struct g729_dtx_correlation sum_of(const struct g729_dtx_correlation *in, int n) {
    int32_t sum[G729_ORDER + 1] = {0};
    struct g729_dtx_correlation out;
    int common = in[0].exponent;
    for (int i = 1; i < n; i++)
        common = in[i].exponent < common ? in[i].exponent : common;
    common += 14;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= G729_ORDER; j++)
            sum[j] = add32(sum[j], shl32(in[i].r[j], common - in[i].exponent));
    const int shift = norm32(sum[0]);
    for (int j = 0; j <= G729_ORDER; j++)
        out.r[j] = high16(shl32(sum[j], shift));
    out.exponent = (int16_t)(common + shift - 16);
    return out;
}

static void push_sum(struct g729_dtx *dtx) {
    memmove(dtx->sums + 1, dtx->sums, (G729_DTX_SUMS - 1) * sizeof *dtx->sums);
    dtx->sums[0] = sum_of(dtx->recent, G729_DTX_FRAMES);
}

void g729_dtx_observe(struct g729_dtx *dtx, const struct g729_autocorrelation *in, bool speech) {
    memmove(dtx->recent + 1, dtx->recent, (G729_DTX_FRAMES - 1) * sizeof *dtx->recent);
    for (int j = 0; j <= G729_ORDER; j++)
        dtx->recent[0].r[j] = in->r[j].high;
    dtx->recent[0].exponent = (int16_t)-(16 + in->exponent + 2); /* before the input was halved */
    if (++dtx->n_in_pair < G729_DTX_FRAMES)
        return;
    dtx->n_in_pair = 0;
    if (speech)
        push_sum(dtx);
}

static void predict_from(struct g729_lpc_memory *memory, struct g729_prediction *out,
                         const struct g729_dtx_correlation *in) {
    struct dpf r[G729_ORDER + 1];
    for (int j = 0; j <= G729_ORDER; j++)
        r[j] = (struct dpf){in->r[j], 0};
    g729_predict(memory, out, r);
}

/* B.4.1.2: correlations of a filter's coefficients. */
static struct g729_dtx_correlation correlation_of(const int16_t a_q12[G729_ORDER + 1]) {
    struct g729_dtx_correlation out;
    const int32_t energy = g729_dot(a_q12, a_q12, G729_ORDER + 1, 0);
    const int shift = norm32(energy);
    for (int i = 0; i <= G729_ORDER; i++)
        out.r[i] = round16(shl32(g729_dot(a_q12, a_q12 + i, (size_t)(G729_ORDER + 1 - i), 0), shift));
    out.exponent = (int16_t)shift;
    return out;
}

/* r[0] s[0] / 2 + sum of r[i] s[i]; false if that saturates. */
static bool filtered_energy(int32_t *sum, const struct g729_dtx_correlation *a, int shift_a,
                            const struct g729_dtx_correlation *b, int shift_b) {
    const int32_t first = mul32(shr16(a->r[0], shift_a), shr16(b->r[0], shift_b));
    int64_t exact = first >> 1;
    if (a->r[0] == INT16_MIN && b->r[0] == INT16_MIN && shift_a == 0 && shift_b == 0)
        return false;
    for (int i = 1; i <= G729_ORDER; i++) {
        exact += 2 * (int64_t)(shr16(a->r[i], shift_a) * shr16(b->r[i], shift_b));
        if (exact != clamp32(exact))
            return false;
    }
    *sum = (int32_t)exact;
    return true;
}

/* B.4.1.2: whether the energy that the reference filter leaves of this frame exceeds the frame's own residual
 * by more than a threshold.  Operands are halved in turn until the sum fits. */
static bool differs(const struct g729_dtx_correlation *reference, const struct g729_dtx_correlation *current,
                    int16_t residual, int16_t threshold_q15) {
    int shift[2] = {0, 0};
    int32_t left;
    for (int turn = 1; !filtered_energy(&left, reference, shift[0], current, shift[1]); turn = 1 - turn)
        shift[turn]++;
    const int32_t allowed = add32(mul16_rounded(residual, threshold_q15), residual);
    const int scale = reference->exponent + 9 - (shift[0] + shift[1]);
    return sub32(left, shl32(allowed, scale)) > 0;
}

/* The mean filter of the last pairs of frames. */
static void past_filter(struct g729_dtx *dtx, struct g729_lpc_memory *memory) {
    const struct g729_dtx_correlation sum = sum_of(dtx->sums, G729_DTX_SUMS);
    struct g729_prediction past = {.error = 0};
    if (sum.r[0] == 0) {
        memset(dtx->past_a_q12, 0, sizeof dtx->past_a_q12);
        dtx->past_a_q12[0] = 4096;
        return;
    }
    predict_from(memory, &past, &sum);
    memcpy(dtx->past_a_q12, past.a_q12, sizeof dtx->past_a_q12);
}

/* The filter to send: the mean, unless the current one differs from it. */
static const int16_t *filter_to_send(struct g729_dtx *dtx, struct g729_lpc_memory *memory,
                                     const struct g729_dtx_correlation *current,
                                     const int16_t *current_a_q12) {
    past_filter(dtx, memory);
    dtx->reference = correlation_of(dtx->past_a_q12);
    if (!differs(&dtx->reference, current, dtx->energies[0].mantissa, MEAN_THRESHOLD_Q15))
        return dtx->past_a_q12;
    dtx->reference = correlation_of(current_a_q12);
    return current_a_q12;
}

/* B.4.1.3: whether filter or level have changed enough; at least three frames lie between SID frames. */
static bool is_due(struct g729_dtx *dtx, const struct g729_dtx_correlation *current, int level_db,
                   bool first) {
    enum { SPACING = 3, LEVEL_STEP_DB = 2 };
    if (first)
        return true;
    if (differs(&dtx->reference, current, dtx->energies[0].mantissa, SEND_THRESHOLD_Q15))
        dtx->changed = true;
    const int apart_db = dtx->level_db - level_db;
    if (apart_db > LEVEL_STEP_DB || apart_db < -LEVEL_STEP_DB)
        dtx->changed = true;
    if (++dtx->n_frames_since_sid < SPACING)
        return false;
    dtx->n_frames_since_sid = SPACING;
    return dtx->changed;
}

static void make_sid(struct g729_dtx *dtx, const struct g729_dtx_context *context,
                     struct g729_sid_parameters *sid, const int16_t a_q12[G729_ORDER + 1]) {
    int16_t lsp_q15[G729_ORDER];
    g729_lsp_of_filter(lsp_q15, a_q12, context->lsp_q15);
    g729_sid_quantize_lsp(context->lsf, &sid->lsf, dtx->lsp_q15, lsp_q15);
    dtx->sid_gain = g729_sid_gain[sid->gain];
}

struct g729_dtx_result g729_dtx_frame(struct g729_dtx *dtx, const struct g729_dtx_context *context,
                                      bool first) {
    enum { KEPT_Q15 = 28672 /* 7/8 */, NEW_Q15 = 4096 };
    struct g729_dtx_result result = {.send = false};
    const struct g729_dtx_correlation current = sum_of(dtx->recent, G729_DTX_FRAMES);
    struct g729_prediction prediction = {.error = dtx->energies[0].mantissa};
    memmove(dtx->energies + 1, dtx->energies, (G729_DTX_FRAMES - 1) * sizeof *dtx->energies);
    if (current.r[0] == 0)
        prediction.error = 0;
    else
        predict_from(context->lpc, &prediction, &current);
    dtx->energies[0] = (struct g729_energy){prediction.error, current.exponent};
    dtx->n_energies = first ? 1 : G729_DTX_FRAMES;
    int level_db;
    result.sid.gain = (uint16_t)g729_sid_quantize_gain(dtx->energies, dtx->n_energies, &level_db);
    result.send = is_due(dtx, &current, level_db, first);
    if (result.send) {
        dtx->n_frames_since_sid = 0;
        dtx->changed = false;
        dtx->level_db = (int16_t)level_db;
        make_sid(dtx, context, &result.sid, filter_to_send(dtx, context->lpc, &current, prediction.a_q12));
    }
    dtx->gain = first ? dtx->sid_gain
                      : add16(mul16_rounded(dtx->gain, KEPT_Q15), mul16_rounded(dtx->sid_gain, NEW_Q15));
    g729_noise_excitation(context->excitation, dtx->gain, &dtx->seed, context->taming);
    if (dtx->n_in_pair == 0)
        push_sum(dtx);
    return result;
}
