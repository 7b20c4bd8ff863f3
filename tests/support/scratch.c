/* SPDX-License-Identifier: MIT */

#include "tests/support/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/base/assert.h"

static char s_path[64];

static void
s_remove(void)
{
    DIR *folder = opendir(s_path);
    if (!folder) {
        return;
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        (void) unlinkat(dirfd(folder), entry->d_name, 0); /* "." and ".." refuse */
    }
    (void) closedir(folder);
    (void) rmdir(s_path);
}

const char *
t_scratch(void)
{
    if (!s_path[0]) {
        const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : P_tmpdir;
        (void) snprintf(s_path, sizeof s_path, "%s/rc-XXXXXX", base);
        PR_ASSERT(mkdtemp(s_path));
        (void) atexit(s_remove);
    }
    return s_path;
}

void
t_scratch_endpoint(const char *name, char *out, size_t size)
{
    int length = snprintf(out, size, "ipc://%s/%s", t_scratch(), name);
    PR_ASSERT(length > 0 && (size_t) length < size);
}
