/* SPDX-License-Identifier: MIT */

/*
 * Settings: one file (czmq's ZPL format) and environment variables that win over it. The list is
 * settings.def; --help, check-config and ops/conf/rollcall.conf come from it. A setting `a.b_c` is
 * ROLLCALL_A_B_C in the environment; some have the original application's name as well.
 *
 * Children get the file's path and the same environment, and read both themselves.
 */

#ifndef PR_CONFIG_H
#define PR_CONFIG_H

#include <stdint.h>
#include <stdio.h>

typedef struct pr_config pr_config_t;

typedef enum {
#define PR_SETTING_INT(NAME, key, alias, unset, least, most, help) PR_SET_##NAME,
#define PR_SETTING_TEXT(NAME, key, alias, unset, help) PR_SET_##NAME,
#define PR_SETTING_WORD(NAME, key, alias, unset, help, words) PR_SET_##NAME,
#include "proto/base/settings.def"
#undef PR_SETTING_INT
#undef PR_SETTING_TEXT
#undef PR_SETTING_WORD
    PR_SET_COUNT
} pr_setting_t;

/*
 * Reads `path` (NULL: none) and the environment. On failure returns NULL and writes one line that
 * names the setting and what is wrong with it to `error`. Unknown settings in the file are failures
 * too.
 */
pr_config_t *
pr_config_load(const char *path, char *error, size_t error_size);

void
pr_config_destroy(pr_config_t **self_p);

/* The value of an integer setting. */
int64_t
pr_config_int(const pr_config_t *self, pr_setting_t setting);

/* The value of a text setting, never NULL; lives as long as the configuration. */
const char *
pr_config_text(const pr_config_t *self, pr_setting_t setting);

/* One line a setting: key, environment names, default, bounds, help. */
void
pr_config_print_help(FILE *out);

#endif
