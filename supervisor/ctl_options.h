/* SPDX-License-Identifier: MIT */

/* The command line of rollcallctl. */

#ifndef SV_CTL_OPTIONS_H
#define SV_CTL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *state_dir;   /* NULL: as the settings say */
    const char *config_file; /* NULL: none */
    bool json;
    bool help;
    int64_t timeout_ms; /* of a call */
    int64_t within_ms;  /* how long a drain may take; -1: not said */
    int64_t wait_ms;    /* how long to listen; -1: not said */
    int64_t count;      /* stop after so many events; -1: not said */
    const char *command;
    char **words; /* what follows the command */
    int word_count;
} sv_ctl_options_t;

/* False for wrong use; then one line is on stderr. Texts point into argv and the environment. */
bool
sv_ctl_options_parse(int argc, char **argv, sv_ctl_options_t *options);

void
sv_ctl_options_help(void);

#endif
