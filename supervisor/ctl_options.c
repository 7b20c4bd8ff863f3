/* SPDX-License-Identifier: MIT */

#include "supervisor/ctl_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* Longer than what the supervisor takes to answer that a child did not get there. */
#define TIMEOUT_MS 35000

static bool
s_number(const char *name, const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 0 || value > 86400000) {
        (void) fprintf(stderr, "rollcallctl: --%s needs a number, not %s\n", name, text);
        return false;
    }
    *out = value;
    return true;
}

static bool
s_take(int option, const char *value, sv_ctl_options_t *options)
{
    switch (option) {
    case 's':
        options->state_dir = value;
        return true;
    case 'f':
        options->config_file = value;
        return true;
    case 'j':
        options->json = true;
        return true;
    case 'h':
        options->help = true;
        return true;
    case 't':
        return s_number("timeout-ms", value, &options->timeout_ms);
    case 'd':
        return s_number("within-ms", value, &options->within_ms);
    case 'w':
        return s_number("wait-ms", value, &options->wait_ms);
    case 'n':
        return s_number("count", value, &options->count);
    default:
        return false;
    }
}

bool
sv_ctl_options_parse(int argc, char **argv, sv_ctl_options_t *options)
{
    static const struct option s_known[] = {
        {"state-dir", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"timeout-ms", required_argument, NULL, 't'},
        {"within-ms", required_argument, NULL, 'd'},
        {"wait-ms", required_argument, NULL, 'w'},
        {"count", required_argument, NULL, 'n'},
        {NULL, 0, NULL, 0},
    };
    const char *config_file = getenv("ROLLCALL_CONFIG");
    *options = (sv_ctl_options_t) {
        .config_file = config_file && *config_file ? config_file : NULL,
        .timeout_ms = TIMEOUT_MS,
        .within_ms = -1,
        .wait_ms = -1,
        .count = -1,
    };
    int found = 0;
    while ((found = getopt_long(argc, argv, "", s_known, NULL)) != -1) {
        if (!s_take(found, optarg, options)) {
            return false;
        }
    }
    if (options->help) {
        return true;
    }
    if (optind == argc) {
        (void) fprintf(stderr, "rollcallctl: which command? See --help\n");
        return false;
    }
    options->command = argv[optind];
    options->words = argv + optind + 1;
    options->word_count = argc - optind - 1;
    return true;
}

void
sv_ctl_options_help(void)
{
    (void) puts(
        "usage: rollcallctl [--state-dir DIR] [--json] [--timeout-ms N] COMMAND\n"
        "\n"
        "  status                  what every process does\n"
        "  stop                    end all, in order\n"
        "  stop NAME               end one and keep it down\n"
        "  start NAME              start one that was stopped, or that failed\n"
        "  restart NAME            stop one and start it again\n"
        "  kill NAME [SIGNAL]      send a signal, default 9; what dies of it is started again\n"
        "  drain NAME              a gateway sends its clients away, spread over --within-ms, and\n"
        "                          is started anew (stop and restart send them away at once)\n"
        "  scale ROLE N            run N processes of ROLE, gateway or actors, from now on; after\n"
        "                          the next start it is again what the settings say\n"
        "  release POLL            let a poll out of quarantine\n"
        "  events                  every change of a process's state, a JSON line each\n"
        "  tap [NAME] [POLL]       every update of every poll, a JSON line each\n"
        "  send NAME JSON...       send events to a process and print what it answers:\n"
        "                          rollcallctl send a1 "
        "'{\"type\":\"READ\",\"poll\":\"ABC234\",\"req\":1}'\n"
        "  check-config            whether the settings are good (--config FILE)\n"
        "\n"
        "  --within-ms N           drain: how long (default: the setting drain_ms)\n"
        "  --count N               events, tap, send: end after N lines\n"
        "  --wait-ms N             the same: listen so long (send: default 1000)\n"
        "\n"
        "It finds its instance by --state-dir, else ROLLCALL_STATE_DIR, else ./var.\n"
        "Exit codes: 0 done, 100 wrong use, 111 nobody there or not done.");
}
