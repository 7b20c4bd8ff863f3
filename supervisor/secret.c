/* SPDX-License-Identifier: MIT */

#include "supervisor/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/wire/error.h"
#include "supervisor/file.h"

#define SECRET_BYTES 32

static int
s_make(const char *path, char *error, size_t error_size)
{
    char secret[2 * SECRET_BYTES + 1];
    sv_file_random_hex(secret, SECRET_BYTES);
    int result = sv_file_write(path, pr_str(secret));
    if (result != 0) {
        (void) snprintf(error, error_size, "cannot write %s: %s", path, strerror(errno));
    }
    return result;
}

/* An empty key would let everybody sign. */
static int
s_check(const char *path, char *error, size_t error_size)
{
    char content[2 * SECRET_BYTES + 1];
    int len = sv_file_read(path, content, sizeof content);
    if (len < 0) {
        (void) snprintf(error, error_size, "cannot read %s: %s", path, strerror(errno));
        return PR_E_SYSTEM;
    }
    if (strspn(content, " \r\n\t") == (size_t) len) {
        (void) snprintf(error, error_size, "%s is empty: remove it, a new one is made", path);
        return PR_E_CONFIG;
    }
    return 0;
}

int
sv_secret_provide(
    const pr_config_t *config, const sv_paths_t *paths, char *out, char *error, size_t error_size)
{
    const char *given = pr_config_text(config, PR_SET_TOKEN_SECRET);
    if (*given) {
        (void) sv_paths_in_run(paths, "secret", out);
        if (sv_file_write(out, pr_str(given)) != 0) {
            (void) snprintf(error, error_size, "cannot write %s: %s", out, strerror(errno));
            return PR_E_SYSTEM;
        }
        return s_check(out, error, error_size);
    }
    (void) sv_paths_in_state(paths, "secret", out);
    struct stat found;
    if (stat(out, &found) != 0 && errno == ENOENT) {
        int result = s_make(out, error, error_size);
        if (result != 0) {
            return result;
        }
    }
    return s_check(out, error, error_size);
}
