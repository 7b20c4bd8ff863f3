/* SPDX-License-Identifier: MIT */

/* rollcall-supervisor: reads its arguments and settings, then runs. */

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "supervisor/spawn.h"
#include "supervisor/supervisor.h"

typedef struct {
    const char *config_file;
    bool help;
    bool check;
} options_t;

static bool
s_parse(int argc, char **argv, options_t *options)
{
    static const struct option s_known[] = {
        {"config", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"check-config", no_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    int found = 0;
    options->config_file = getenv("ROLLCALL_CONFIG");
    while ((found = getopt_long(argc, argv, "", s_known, NULL)) != -1) {
        if (found == 'f') {
            options->config_file = optarg;
        } else if (found == 'h') {
            options->help = true;
        } else if (found == 'c') {
            options->check = true;
        } else {
            return false;
        }
    }
    if (optind < argc) {
        (void) fprintf(stderr, "rollcall: unknown argument %s (see --help)\n", argv[optind]);
        return false;
    }
    if (options->config_file && !*options->config_file) {
        options->config_file = NULL;
    }
    return true;
}

static void
s_help(void)
{
    (void) puts("usage: rollcall [--config FILE] [--check-config]\n"
                "\n"
                "Starts Rollcall and stays until Ctrl-C or SIGTERM.\n"
                "  --config FILE    settings; the environment wins over it\n"
                "  --check-config   only say whether the settings are good\n"
                "\n"
                "Settings:");
    pr_config_print_help(stdout);
}

/* Children inherit it: a gateway holds as many sockets as it may. */
static void
s_raise_open_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int
main(int argc, char **argv)
{
    options_t options = {0};
    sv_spawn_inherit_nothing();
    if (!s_parse(argc, argv, &options)) {
        return SV_EXIT_USAGE;
    }
    if (options.help) {
        s_help();
        return SV_EXIT_OK;
    }
    char error[512];
    char config_path[PATH_MAX];
    pr_config_t *config = pr_config_load(options.config_file, error, sizeof error);
    if (!config) {
        (void) fprintf(stderr, "rollcall: %s\n", error);
        return SV_EXIT_USAGE;
    }
    int code = SV_EXIT_OK;
    if (options.check) {
        (void) puts("settings are good");
    } else {
        const char *level = pr_config_text(config, PR_SET_LOG_LEVEL);
        pr_log_init("supervisor", pr_log_level_from_name(level));
        (void) signal(SIGPIPE, SIG_IGN);
        s_raise_open_files();
        const char *file = options.config_file ? realpath(options.config_file, config_path) : NULL;
        code = sv_supervisor_run(config, file);
    }
    pr_config_destroy(&config);
    return code;
}
