#define _POSIX_C_SOURCE 200809L
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    fuzz_run *run;
} targets[] = {{"pcmu", fuzz_pcmu},   {"pcma", fuzz_pcma}, {"g729", fuzz_g729},      {"ilbc", fuzz_ilbc},
               {"plane", fuzz_plane}, {"srtp", fuzz_srtp}, {"planted", fuzz_planted}};

/* The input that is being run, in a file that outlives this process. */
struct current {
    uint32_t bytes;
    uint8_t data[FUZZ_BYTES];
};

struct tally {
    uint64_t inputs, bytes, input_digest, digest;
    size_t kept;
};

static void die(const char *what) {
    perror(what);
    exit(2);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct current *open_current(const char *path) {
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct current)) < 0)
        die(path);
    void *shared = mmap(NULL, sizeof(struct current), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        die(path);
    close(fd);
    return shared;
}

/* A corpus is a file of inputs, each after its length (32 bits, little-endian). */
static void read_corpus(struct corpus *corpus, const char *path, uint64_t *random) {
    FILE *file = fopen(path, "rb");
    uint8_t length[4], input[FUZZ_BYTES];
    if (!file)
        die(path);
    while (fread(length, 1, sizeof length, file) == sizeof length) {
        const size_t bytes = length[0] | (size_t)length[1] << 8;
        if (length[2] || length[3] || bytes > sizeof input || fread(input, 1, bytes, file) != bytes) {
            fprintf(stderr, "%s: not a corpus\n", path);
            exit(2);
        }
        corpus_keep(corpus, input, bytes, random);
    }
    fclose(file);
}

static void report(const struct tally *tally) {
    printf("{\"inputs\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"branches\": %" PRIu32 ", \"kept\": %zu, "
           "\"input_digest\": \"%016" PRIx64 "\", \"digest\": \"%016" PRIx64 "\"}\n",
           tally->inputs, tally->bytes, fuzz_branches, tally->kept, tally->input_digest, tally->digest);
    fflush(stdout);
}

/* From memory of exactly its size, so that the sanitizer sees a byte too many. */
static uint64_t run_exactly(fuzz_run *run, uint64_t digest, const uint8_t *input, size_t bytes) {
    uint8_t *exact = malloc(bytes + !bytes);
    memcpy(exact, input, bytes);
    fuzz_coverage_begin();
    digest = run(digest, exact, bytes);
    free(exact);
    return digest;
}

static void run_one(fuzz_run *run, struct corpus *corpus, uint64_t *random, struct current *current,
                    struct tally *tally) {
    const uint32_t branches = fuzz_branches;
    current->bytes = (uint32_t)fuzz_next(corpus, random, current->data);
    tally->digest = run_exactly(run, tally->digest, current->data, current->bytes);
    tally->input_digest = fuzz_digest(tally->input_digest, current->data, current->bytes);
    tally->inputs++;
    tally->bytes += current->bytes;
    if (fuzz_branches != branches) {
        corpus_keep(corpus, current->data, current->bytes, random);
        tally->kept++;
    }
}

/* Until the seconds are over or the inputs are run; 0 inputs = as many as there is time for. */
static int run_many(fuzz_run *run, char **argument) {
    static struct corpus corpus;
    uint64_t random = strtoull(argument[0], NULL, 10);
    const double end = seconds_now() + strtod(argument[1], NULL);
    const uint64_t inputs = strtoull(argument[2], NULL, 10);
    struct tally tally = {.input_digest = FUZZ_DIGEST, .digest = FUZZ_DIGEST};
    double next_report = 0;
    read_corpus(&corpus, argument[3], &random);
    struct current *current = open_current(argument[4]);
    for (double now; (now = seconds_now()) < end && (inputs == 0 || tally.inputs < inputs);) {
        run_one(run, &corpus, &random, current, &tally);
        if (now >= next_report) {
            report(&tally);
            next_report = now + 0.25;
        }
    }
    report(&tally);
    return 0;
}

static int run_once(fuzz_run *run, const char *path) {
    uint8_t input[FUZZ_BYTES];
    FILE *file = fopen(path, "rb");
    if (!file)
        die(path);
    const size_t bytes = fread(input, 1, sizeof input, file);
    fclose(file);
    printf("{\"digest\": \"%016" PRIx64 "\"}\n", run_exactly(run, FUZZ_DIGEST, input, bytes));
    return 0;
}

int main(int n_arguments, char **argument) {
    for (size_t i = 0; n_arguments > 3 && i < sizeof targets / sizeof *targets; i++) {
        if (strcmp(argument[1], targets[i].name) != 0)
            continue;
        if (n_arguments == 4 && strcmp(argument[2], "once") == 0)
            return run_once(targets[i].run, argument[3]);
        if (n_arguments == 8 && strcmp(argument[2], "run") == 0)
            return run_many(targets[i].run, argument + 3);
    }
    fprintf(stderr, "usage: %s TARGET run SEED SECONDS INPUTS CORPUS CURRENT | TARGET once FILE\n",
            argument[0]);
    return 2;
}
