/* SPDX-License-Identifier: MIT */

/*
 * rollcall, the guard: what stands above the supervisor. For now it turns into rollcall-supervisor,
 * which lies beside it, with the same arguments. Later it will open the listening sockets, hand
 * them down, and start the supervisor again when that dies; so it must stay small, and know no
 * library.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUPERVISOR "rollcall-supervisor"
#define EXIT_ENVIRONMENT 111

int
main(int argc, char **argv)
{
    (void) argc;
    char own[PATH_MAX];
    char path[PATH_MAX + sizeof SUPERVISOR + 1];
    ssize_t len = readlink("/proc/self/exe", own, sizeof own - 1);
    own[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(own, '/');
    if (!slash) {
        (void) fprintf(stderr, "rollcall: can not find itself: is /proc mounted?\n");
        return EXIT_ENVIRONMENT;
    }
    *slash = '\0';
    (void) snprintf(path, sizeof path, "%s/%s", own, SUPERVISOR);
    (void) execv(path, argv);
    (void) fprintf(stderr, "rollcall: can not start %s: %s\n", path, strerror(errno));
    return EXIT_ENVIRONMENT;
}
