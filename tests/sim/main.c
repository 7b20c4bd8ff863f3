/* SPDX-License-Identifier: MIT */

/*
 * sim: lives of a simulated Rollcall, one a seed.
 *
 *     --seed N          one life, with a trace
 *     --seeds A-B       these, quietly
 *     --count N         so many fresh ones, from a base that is drawn and printed
 *     --twice N         so many, each lived twice: it must be the same life
 *     --list FILE       those in the file, one a line, # for comments
 *     --jobs N          so many processes share the work
 *     --plant NAME      with a bug planted (PR_FAULT); succeeds if a life fails
 *     --all             goes on after a failure, and names each
 *     --tally           and what their processes have counted
 *     --no-trace        with --seed
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/assert.h"
#include "tests/sim/gateway_model.h"
#include "tests/sim/schedule.h"
#include "tests/sim/tally.h"

#define JOBS_MAX 16

typedef struct {
    uint64_t first;
    uint64_t last;
    uint64_t *list; /* in place of first and last */
    size_t list_count;
    long jobs;
    const char *plant;
    bool is_traced;
    bool goes_on;
    bool is_twice;
    bool is_tallied;
} options_t;

/* What a worker tells, also when it has crashed. */
typedef struct {
    volatile uint64_t seed;
    volatile uint64_t done;
    volatile uint64_t steps;
    volatile uint64_t failures;
    volatile bool has_failed;
    uint64_t digest; /* of the last life */
    char failure[SIM_FAILURE_MAX];
} report_t;

/* --- one life --- */

static bool
s_live(uint64_t seed, const options_t *options, report_t *report)
{
    report->seed = seed;
    sim_scene_open(seed, options->is_traced);
    sim_plant(options->plant);
    sim_world_t *world = sim_world_new();
    sim_schedule_run(world);
    memcpy(report->failure, sim_scene.failure, sizeof report->failure);
    report->steps += sim_scene.steps;
    report->digest = sim_scene_digest();
    sim_world_destroy(&world);
    sim_scene_close();
    report->has_failed = report->failure[0] != '\0';
    report->done++;
    return !report->has_failed;
}

/* Whether a seed makes the same life each time. */
static bool
s_live_again(uint64_t seed, const options_t *options, report_t *report)
{
    uint64_t digest = report->digest;
    if (!s_live(seed, options, report) || report->digest == digest) {
        return !report->has_failed;
    }
    (void) snprintf(report->failure, sizeof report->failure, "another life of the same seed");
    report->has_failed = true;
    return false;
}

static uint64_t
s_total(const options_t *options)
{
    return options->list ? options->list_count : options->last - options->first + 1;
}

static void
s_work(const options_t *options, report_t *report, uint64_t offset)
{
    for (uint64_t i = offset; i < s_total(options); i += (uint64_t) options->jobs) {
        uint64_t seed = options->list ? options->list[i] : options->first + i;
        bool lived = s_live(seed, options, report) &&
                     (!options->is_twice || s_live_again(seed, options, report));
        report->failures += lived ? 0 : 1;
        if (!lived && !options->goes_on) {
            break;
        }
        if (!lived) {
            (void) printf("seed %" PRIu64 " FAILED: %s\n", seed, report->failure);
        }
    }
    sim_keys_forget();
    if (options->is_tallied) {
        sim_tally_print();
    }
}

/* --- many --- */

static int
s_say_failure(const report_t *report, int status, bool is_said)
{
    if (is_said && status == 0) {
        return (int) report->failures;
    }
    if (report->has_failed) {
        (void) printf("seed %" PRIu64 " FAILED: %s\n", report->seed, report->failure);
    } else if (status != 0) {
        (void) printf("seed %" PRIu64 " FAILED: the process ended, status 0x%x\n", report->seed,
                      (unsigned) status);
    } else {
        return 0;
    }
    (void) printf("replay: tests/sim/run --seed %" PRIu64 "\n", report->seed);
    return 1;
}

static double
s_seconds(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* The first failure ends the others. */
static int
s_run_jobs(const options_t *options)
{
    double begun = s_seconds();
    report_t *reports = mmap(NULL, sizeof(report_t) * JOBS_MAX, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    PR_ASSERT(reports != MAP_FAILED);
    pid_t children[JOBS_MAX];
    for (long job = 0; job < options->jobs; job++) {
        children[job] = fork();
        PR_ASSERT(children[job] >= 0);
        if (children[job] == 0) {
            s_work(options, &reports[job], (uint64_t) job);
            exit(0);
        }
    }
    int failures = 0;
    uint64_t done = 0;
    uint64_t steps = 0;
    for (long job = 0; job < options->jobs; job++) {
        int status = 0;
        (void) waitpid(children[job], &status, 0);
        failures += s_say_failure(&reports[job], status, options->goes_on);
        done += reports[job].done;
        steps += reports[job].steps;
    }
    (void) printf("%" PRIu64 " lives, %" PRIu64 " steps, %d failed, %.1f s\n", done, steps,
                  failures, s_seconds() - begun);
    return failures;
}

/* --- the command line --- */

static bool
s_read_list(options_t *options, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[256];
    if (!file) {
        return false;
    }
    options->list = malloc(sizeof options->list[0] * 4096);
    PR_ASSERT(options->list);
    while (fgets(line, sizeof line, file) && options->list_count < 4096) {
        char *end = line;
        uint64_t seed = strtoull(line, &end, 10);
        if (end != line) {
            options->list[options->list_count++] = seed;
        }
    }
    (void) fclose(file);
    return true;
}

static void
s_draw_base(options_t *options, uint64_t count)
{
    uint64_t base = 0;
    PR_ASSERT(getrandom(&base, sizeof base, 0) == sizeof base);
    options->first = base >> 20;
    options->last = options->first + count - 1;
}

static bool
s_read_option(options_t *options, const char *name, const char *value)
{
    char *end = NULL;
    if (strcmp(name, "--seed") == 0) {
        options->first = options->last = strtoull(value, &end, 10);
        options->is_traced = true;
    } else if (strcmp(name, "--seeds") == 0) {
        options->first = strtoull(value, &end, 10);
        options->last = *end == '-' ? strtoull(end + 1, &end, 10) : options->first;
    } else if (strcmp(name, "--count") == 0) {
        s_draw_base(options, strtoull(value, &end, 10));
    } else if (strcmp(name, "--twice") == 0) {
        options->is_twice = true;
        options->last = strtoull(value, &end, 10);
    } else if (strcmp(name, "--jobs") == 0) {
        options->jobs = strtol(value, &end, 10);
    } else if (strcmp(name, "--list") == 0) {
        return s_read_list(options, value);
    } else if (strcmp(name, "--plant") == 0) {
        options->plant = value;
        return true;
    }
    return end && end != value && *end == '\0' && options->jobs >= 1 && options->jobs <= JOBS_MAX;
}

int
main(int argc, char **argv)
{
    options_t options = {.first = 1, .last = 100, .jobs = 1};
    bool quiet = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--no-trace") == 0) {
            quiet = true;
        } else if (strcmp(argv[i], "--all") == 0) {
            options.goes_on = true;
        } else if (strcmp(argv[i], "--tally") == 0) {
            options.is_tallied = true;
        } else if (i + 1 == argc || !s_read_option(&options, argv[i], argv[i + 1])) {
            (void) fprintf(
                stderr, "usage: sim [--seed N | --seeds A-B | --count N | --twice N | "
                        "--list FILE] [--jobs N] [--plant NAME] [--all] [--tally] [--no-trace]\n");
            free(options.list);
            return 2;
        } else {
            i++;
        }
    }
    options.is_traced = options.is_traced && !quiet;
    (void) setvbuf(stdout, NULL, _IOLBF, 0);
    if (!options.list) {
        (void) printf("seeds %" PRIu64 "-%" PRIu64 "\n", options.first, options.last);
    }
    int failures = s_run_jobs(&options);
    free(options.list);
    if (options.plant) {
        (void) printf("%s: %s\n", options.plant, failures ? "found" : "NOT FOUND");
        return failures ? 0 : 1;
    }
    return failures ? 1 : 0;
}
