/* SPDX-License-Identifier: MIT */

/* Settings files. */

#include <stdio.h>

#include <sys/mman.h>
#include <unistd.h>

#include "proto/base/config.h"
#include "tests/fuzz/fuzz.h"

/* zconfig_load() of CZMQ 4.2 forgets its file object when the text is no ZPL. */
/* NOLINTBEGIN: the name that the sanitizer looks for. */
const char *
__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:zfile_new";
}
/* NOLINTEND */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    char error[256] = "";
    int fd = memfd_create("settings", MFD_CLOEXEC);
    PR_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t) size);
    (void) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    pr_config_t *config = pr_config_load(path, error, sizeof error);
    PR_ASSERT(config || error[0]);
    if (config) {
        PR_ASSERT(pr_config_int(config, PR_SET_HTTP_PORT) > 0);
        PR_ASSERT(pr_config_text(config, PR_SET_HTTP_HOST));
    }
    pr_config_destroy(&config);
    (void) close(fd);
    return 0;
}
