/* SPDX-License-Identifier: MIT */

#include "proto/base/clock.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "proto/base/assert.h"

static int64_t
s_read_ms(clockid_t clock)
{
    struct timespec now;
    PR_ASSERT(clock_gettime(clock, &now) == 0);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
pr_clock_mono_ms(void)
{
    return s_read_ms(CLOCK_MONOTONIC);
}

int64_t
pr_clock_wall_ms(void)
{
    return s_read_ms(CLOCK_REALTIME);
}

void
pr_random_bytes(void *out, size_t len)
{
    char *at = out;
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        PR_ASSERT(got > 0);
        at += got;
        len -= (size_t) got;
    }
}

void
pr_random_text(char *out, size_t len, const char *alphabet)
{
    size_t letters = strlen(alphabet);
    PR_ASSERT(letters > 1 && letters <= 256);
    /* Bytes past the last whole multiple are drawn again, else the first letters came oftener. */
    size_t fair = 256 - 256 % letters;
    size_t done = 0;
    while (done < len) {
        unsigned char bytes[32];
        pr_random_bytes(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes && done < len; i++) {
            if (bytes[i] < fair) {
                out[done++] = alphabet[bytes[i] % letters];
            }
        }
    }
    out[len] = '\0';
}
