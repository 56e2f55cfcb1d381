#include "g729/vad.h"

#include "g729/fixed.h"
#include "g729/mathematics.h"
#include "g729/tables.h"

#include <string.h>

enum {
    QUIET = 3072,         /* 15 dB */
    STEP = 614,           /* 3 dB */
    TRAINING = 32,        /* frames */
    MINIMA_READY = 129,   /* frames */
    SMALL_CHANGE_Q15 = 83 /* of the spectrum */
};

/* The four differences from the noise, and what they came from. */
struct features {
    int16_t energy, low_energy, zero_crossings, spectrum;
    int16_t d_energy, d_low_energy, d_zero_crossings; /* mean - now */
};

void g729_vad_reset(struct g729_vad *vad) {
    memset(vad, 0, sizeof *vad);
    vad->minimum = INT16_MAX;
    vad->may_extend = true;
    vad->was_speech = vad->was_speech_before = true;
}

/* 10 log10 of a sum of normalised correlations per sample (4875 is 10 log10 of 240). */
static int16_t level(int32_t sum, int16_t exponent) {
    const struct logarithm octaves = g729_log2(sum);
    const int32_t scaled =
        dpf_mul16((struct dpf){add16(octaves.exponent, exponent), octaves.fraction_q15}, 9864);
    return sub16(high16(shl32(scaled, 11)), 4875);
}

/* B.3.1 */
static void measure(struct features *f, const struct g729_vad *vad, const struct g729_vad_input *in) {
    enum { ZERO_FIRST = 121, ZERO_LAST = 200, ZERO_STEP_Q15 = 410 };
    const struct g729_autocorrelation *c = in->autocorrelation;
    int32_t low = 0, distance = 0;
    f->energy = level(dpf_value(c->r[0]), c->exponent);
    for (int i = 1; i <= G729_LAGS; i++)
        low = mac32(low, c->r[i].high, g729_vad_low_band_q15[i]);
    low = mac32(shl32(low, 1), c->r[0].high, g729_vad_low_band_q15[0]);
    f->low_energy = level(low, c->exponent);
    for (int i = 0; i < G729_ORDER; i++) {
        const int16_t d = sub16(in->lsf_q15[i], vad->mean_lsf_q15[i]);
        distance = mac32(distance, d, d);
    }
    f->spectrum = high16(distance);
    f->zero_crossings = 0;
    for (int i = ZERO_FIRST; i <= ZERO_LAST; i++)
        if (mul16(in->window[i - 1], in->window[i]) < 0)
            f->zero_crossings = add16(f->zero_crossings, ZERO_STEP_Q15);
}

static int16_t least_of(const int16_t *minima) {
    int16_t least = minima[0];
    for (int i = 1; i < G729_VAD_MINIMA; i++)
        least = minima[i] < least ? minima[i] : least;
    return least;
}

/* B.3.2: the minimum of the last 128 frames, in cells of 8. */
static void track_minimum(struct g729_vad *vad, int16_t energy) {
    const int in_cell = vad->frame & 7;
    if (vad->frame < MINIMA_READY) {
        if (energy < vad->minimum)
            vad->minimum = vad->previous_minimum = energy;
        if (in_cell == 0) {
            vad->minima[(vad->frame >> 3) - 1] = vad->minimum;
            vad->minimum = INT16_MAX;
            vad->previous_minimum = least_of(vad->minima);
        }
        return;
    }
    if (in_cell == 1) {
        vad->minimum = vad->previous_minimum;
        vad->next_minimum = INT16_MAX;
    }
    vad->minimum = energy < vad->minimum ? energy : vad->minimum;
    vad->next_minimum = energy < vad->next_minimum ? energy : vad->next_minimum;
    if (in_cell == 0) {
        memmove(vad->minima, vad->minima + 1, (G729_VAD_MINIMA - 1) * sizeof *vad->minima);
        vad->minima[G729_VAD_MINIMA - 1] = vad->next_minimum;
        vad->previous_minimum = least_of(vad->minima);
    }
}

/* B.3.3: sums of 1/32 over the first frames that were loud enough. */
static bool train(struct g729_vad *vad, const struct features *f, const int16_t *lsf_q15) {
    enum { THIRTY_SECOND = 1024 };
    if (f->energy < QUIET) {
        vad->n_quiet++;
        return false;
    }
    vad->mean_energy = high16(mac32(from_high16(vad->mean_energy), f->energy, THIRTY_SECOND));
    vad->mean_zero_crossings =
        high16(mac32(from_high16(vad->mean_zero_crossings), f->zero_crossings, THIRTY_SECOND));
    for (int i = 0; i < G729_ORDER; i++)
        vad->mean_lsf_q15[i] = high16(mac32(from_high16(vad->mean_lsf_q15[i]), lsf_q15[i], THIRTY_SECOND));
    return true;
}

/* The sums become means: of 32 frames less the quiet ones. */
static void finish_training(struct g729_vad *vad) {
    const int16_t scale = g729_vad_start_scale_q15[vad->n_quiet], shift = g729_vad_start_shift[vad->n_quiet];
    vad->mean_energy = high16(shl32(mul32(vad->mean_energy, scale), shift));
    vad->mean_zero_crossings = high16(shl32(mul32(vad->mean_zero_crossings, scale), shift));
    for (int i = 0; i < G729_ORDER; i++)
        vad->mean_lsf_q15[i] = high16(shl32(mul32(vad->mean_lsf_q15[i], scale), shift));
    vad->mean_noise_energy = sub16(vad->mean_energy, 2048);     /* 10 dB */
    vad->mean_noise_low_energy = sub16(vad->mean_energy, 2458); /* 12 dB */
}

/* a * x + b, as one of the planes of B.3.5 has it. */
static int32_t line(int16_t x, int16_t a, int16_t scale, int16_t b) {
    return mac32(mul32(x, a), scale, b);
}

/* B.3.5: speech lies beyond any of 14 planes. */
static bool beyond_a_plane(const struct features *f) {
    const int16_t zc = f->d_zero_crossings, e = f->d_energy, low = f->d_low_energy, sd = f->spectrum;
    return add32(line(zc, -14680, 8192, -28521) >> 8, from_high16(sd)) > 0 ||
           add32(line(zc, 19065, 8192, -19446) >> 7, from_high16(sd)) > 0 ||
           add32(line(zc, 20480, 8192, 16384) >> 2, from_high16(e)) < 0 ||
           add32(line(zc, -16384, 8192, 19660) >> 2, from_high16(e)) < 0 || line(e, 32767, 1024, 30802) < 0 ||
           mac32(line(sd, -28160, 64, 19988), e, 512) < 0 || line(sd, 32767, 32, -30199) > 0 ||
           add32(line(zc, -20480, 8192, 22938) >> 2, from_high16(e)) < 0 ||
           add32(line(zc, 23831, 4096, 31576) >> 2, from_high16(e)) < 0 || line(e, 32767, 2048, 17367) < 0 ||
           mac32(line(sd, -22400, 32, 25395), low, 256) < 0 ||
           add32(line(e, -30427, 256, -29959), from_high16(low)) > 0 ||
           add32(line(e, -23406, 512, 28087), from_high16(low)) < 0 ||
           mac32(line(e, 24576, 1024, 29491), low, 16384) < 0;
}

/* B.3.6: four rules that smooth the decision, in this order. */
static bool smoothed(struct g729_vad *vad, const struct features *f, bool speech, int16_t reflection_q15) {
    enum { RUN = 10, EXTENSIONS = 4, VETO_FROM = 128, VETO_REFLECTION_Q15 = 19661 };
    bool kept = false;
    if (vad->was_speech && !speech && add16(f->d_energy, 410) < 0 && f->energy > QUIET)
        speech = kept = true;
    if (!vad->may_extend)
        vad->may_extend = true;
    else if (vad->was_speech && vad->was_speech_before && !speech &&
             abs16(sub16(vad->previous_energy, f->energy)) <= STEP) {
        speech = kept = true;
        vad->n_extended++;
        if (vad->n_extended > EXTENSIONS) {
            vad->may_extend = false;
            vad->n_extended = 0;
        }
    }
    if (!speech)
        vad->n_silent = add16(vad->n_silent, 1);
    if (speech && vad->n_silent > RUN && sub16(f->energy, vad->previous_energy) <= STEP) {
        speech = false;
        vad->n_silent = 0;
    }
    if (speech)
        vad->n_silent = 0;
    const bool low = sub16(f->energy, STEP) < vad->mean_noise_energy;
    return speech && !(low && vad->frame > VETO_FROM && !kept && reflection_q15 < VETO_REFLECTION_Q15);
}

static int16_t moved(const int16_t rates_q15[2], int16_t mean, int16_t now) {
    return high16(mac32(mul32(rates_q15[0], mean), rates_q15[1], now));
}

/* B.3.7: the means follow noise, faster at first. */
static void update_noise(struct g729_vad *vad, const struct features *f, const struct g729_vad_input *in) {
    enum { REFLECTION_Q15 = 24576, FAR = 2048, FIRST_RATE = 20, RATE_STEP = 10, LAST_RATE = 5 };
    if (sub16(f->energy, STEP) < vad->mean_noise_energy && in->reflection_q15 < REFLECTION_Q15 &&
        f->spectrum < SMALL_CHANGE_Q15) {
        vad->n_updates = add16(vad->n_updates, 1);
        int rate = vad->n_updates < FIRST_RATE ? 0 : (vad->n_updates - FIRST_RATE) / RATE_STEP + 1;
        rate = rate > LAST_RATE ? LAST_RATE : rate;
        const int16_t *rates_q15 = g729_vad_rates_q15[rate];
        vad->mean_noise_energy = moved(rates_q15, vad->mean_noise_energy, f->energy);
        vad->mean_noise_low_energy = moved(rates_q15, vad->mean_noise_low_energy, f->low_energy);
        vad->mean_zero_crossings = moved(rates_q15 + 2, vad->mean_zero_crossings, f->zero_crossings);
        for (int i = 0; i < G729_ORDER; i++)
            vad->mean_lsf_q15[i] = moved(rates_q15 + 4, vad->mean_lsf_q15[i], in->lsf_q15[i]);
    }
    const bool too_low = vad->mean_noise_energy < vad->minimum && f->spectrum < SMALL_CHANGE_Q15;
    if (vad->frame >= MINIMA_READY && (too_low || sub16(vad->mean_noise_energy, vad->minimum) > FAR)) {
        vad->mean_noise_energy = vad->minimum;
        vad->n_updates = 0;
    }
}

static bool decide(struct g729_vad *vad, struct features *f, const struct g729_vad_input *in) {
    bool speech = false;
    if (vad->frame <= TRAINING)
        speech = train(vad, f, in->lsf_q15);
    if (vad->frame < TRAINING)
        return speech;
    if (vad->frame == TRAINING)
        finish_training(vad);
    f->d_energy = sub16(vad->mean_noise_energy, f->energy);
    f->d_low_energy = sub16(vad->mean_noise_low_energy, f->low_energy);
    f->d_zero_crossings = sub16(vad->mean_zero_crossings, f->zero_crossings);
    speech = f->energy >= QUIET && beyond_a_plane(f);
    speech = smoothed(vad, f, speech, in->reflection_q15);
    update_noise(vad, f, in);
    return speech;
}

bool g729_vad_is_speech(struct g729_vad *vad, const struct g729_vad_input *in) {
    enum { COUNTER_RESTART = 256 };
    struct features f;
    vad->frame = vad->frame == INT16_MAX ? COUNTER_RESTART : (int16_t)(vad->frame + 1);
    measure(&f, vad, in);
    track_minimum(vad, f.energy);
    const bool speech = decide(vad, &f, in);
    vad->previous_energy = f.energy;
    vad->was_speech_before = vad->was_speech;
    vad->was_speech = speech;
    return speech;
}
