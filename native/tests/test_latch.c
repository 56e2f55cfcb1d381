/* The table of plane/latch.c: who may send to a row, packet by packet. */
#include "check.h"

enum { A = 1, B = 2, C = 3 }; /* the signalled address, another, a third */

struct step {
    uint8_t host;
    uint16_t port, sequence;
    uint32_t ssrc;
    double now;
    enum verdict expected;
};

static void play(const struct step *steps, size_t n, double learn_until) {
    static struct fixture f;
    fixture_begin(&f, MODE_TICK);
    struct row *row = &f.rows[0];
    row->remote = address_of(A, 4000);
    row->learn_until = learn_until;
    for (size_t i = 0; i < n; i++) {
        struct address source = address_of(steps[i].host, steps[i].port);
        struct rtp rtp = {.sequence = steps[i].sequence, .ssrc = steps[i].ssrc};
        enum verdict verdict = latch_accept(&f.plane, 0, &source, &rtp, steps[i].now);
        if (verdict != steps[i].expected)
            fprintf(stderr, "step %zu: verdict %d\n", i, (int)verdict);
        CHECK(verdict == steps[i].expected);
        if (verdict == VERDICT_HOLD)
            row->rx_ssrc = rtp.ssrc;
    }
}

static void the_signalled_address_wins_for_ever(void) {
    static const struct step steps[] = {
        {B, 5, 1, 7, 1, DROP_LEARNING},    {B, 5, 2, 7, 1, DROP_LEARNING},
        {B, 5, 3, 7, 1, VERDICT_HOLD},     {A, 4000, 9, 8, 1.1, VERDICT_HOLD},
        {B, 5, 4, 7, 1.1, DROP_STRANGER},  {A, 4001, 9, 8, 9, DROP_STRANGER},
        {A, 4000, 5, 1, 99, VERDICT_HOLD},
    };
    play(steps, COUNT(steps), 5);
}

static void a_source_is_learnt_by_three_packets_in_order(void) {
    static const struct step steps[] = {
        {B, 5, 65534, 7, 1, DROP_LEARNING}, {B, 5, 65535, 7, 1.02, DROP_LEARNING},
        {B, 5, 1, 7, 1.04, DROP_LEARNING}, /* 0 was lost: from the beginning */
        {B, 5, 2, 7, 1.06, DROP_LEARNING},  {B, 5, 3, 7, 1.08, VERDICT_HOLD},
        {B, 5, 9, 9, 1.1, VERDICT_HOLD}, /* where we are latched any SSRC may speak */
        {C, 5, 4, 9, 1.2, DROP_STRANGER},
    };
    play(steps, COUNT(steps), 5);
}

static void one_source_is_learnt_at_a_time_until_it_falls_silent(void) {
    static const struct step steps[] = {
        {B, 5, 1, 7, 1, DROP_LEARNING},    {C, 5, 1, 9, 1.01, DROP_LEARNING},
        {B, 5, 2, 7, 1.02, DROP_LEARNING}, {C, 5, 2, 9, 1.03, DROP_LEARNING},
        {C, 5, 1, 9, 1.2, DROP_LEARNING},  {C, 5, 2, 9, 1.22, DROP_LEARNING},
        {B, 5, 3, 7, 1.23, DROP_LEARNING}, {C, 5, 3, 9, 1.24, VERDICT_HOLD},
        {B, 5, 4, 7, 1.25, DROP_STRANGER},
    };
    play(steps, COUNT(steps), 5);
}

static void nothing_is_learnt_when_the_time_is_over(void) {
    static const struct step steps[] = {
        {B, 5, 1, 7, 4.9, DROP_LEARNING},
        {B, 5, 2, 7, 4.92, DROP_LEARNING},
        {B, 5, 3, 7, 5, DROP_STRANGER},
        {A, 4000, 3, 7, 50, VERDICT_HOLD},
    };
    play(steps, COUNT(steps), 5);
}

static void a_latch_moves_to_another_port_of_its_ip_and_ssrc_after_a_second(void) {
    static const struct step steps[] = {
        {B, 5, 1, 7, 1, DROP_LEARNING},    {B, 5, 2, 7, 1, DROP_LEARNING},   {B, 5, 3, 7, 1, VERDICT_HOLD},
        {B, 6, 4, 7, 1.99, DROP_STRANGER}, {C, 5, 4, 7, 3, DROP_STRANGER},   {B, 6, 4, 8, 3, DROP_STRANGER},
        {B, 6, 4, 7, 3, VERDICT_HOLD},     {B, 5, 5, 7, 3.1, DROP_STRANGER},
    };
    play(steps, COUNT(steps), 5);
}

static void a_latch_is_told_once(void) {
    static struct fixture f;
    fixture_begin(&f, MODE_TICK);
    struct address source = address_of(C, 9);
    f.rows[0].learn_until = 5;
    for (uint16_t i = 0; i < 10; i++) {
        struct rtp rtp = {.sequence = i, .ssrc = 1};
        latch_accept(&f.plane, 0, &source, &rtp, 1);
    }
    CHECK(f.plane.notices_n == 1);
    CHECK(f.notices[0].kind == NOTICE_LATCHED && f.notices[0].value == 9);
    CHECK(address_same(&f.rows[0].latched, &source));
}

static void an_ipv6_address_is_not_the_ipv4_address_of_its_first_bytes(void) {
    struct address v4 = address_of(A, 4000), v6 = v4;
    v6.family = 6;
    CHECK(!address_same(&v4, &v6));
    v6 = v4;
    v6.ip[15] = 1;
    CHECK(!address_same_ip(&v4, &v6));
}

int main(void) {
    the_signalled_address_wins_for_ever();
    a_source_is_learnt_by_three_packets_in_order();
    one_source_is_learnt_at_a_time_until_it_falls_silent();
    nothing_is_learnt_when_the_time_is_over();
    a_latch_moves_to_another_port_of_its_ip_and_ssrc_after_a_second();
    a_latch_is_told_once();
    an_ipv6_address_is_not_the_ipv4_address_of_its_first_bytes();
    return 0;
}
