/* SPDX-License-Identifier: MIT */

#include "supervisor/backoff.h"

#include <stdbool.h>
#include <string.h>

void
sv_backoff_init(sv_backoff_t *self)
{
    memset(self, 0, sizeof *self);
}

/* Notes an early death; says whether it was one too many. */
static bool
s_too_many(sv_backoff_t *self, int64_t now_ms)
{
    self->early_ms[self->early_count % PR_CHILD_INTENSITY] = now_ms;
    self->early_count++;
    if (self->early_count < PR_CHILD_INTENSITY) {
        return false;
    }
    int64_t oldest_ms = self->early_ms[self->early_count % PR_CHILD_INTENSITY];
    return now_ms - oldest_ms < PR_CHILD_INTENSITY_MS;
}

static int64_t
s_delay(unsigned failures, uint32_t random)
{
    int64_t delay_ms = PR_CHILD_BACKOFF_MS;
    for (unsigned i = 0; i < failures && delay_ms < PR_CHILD_BACKOFF_MAX_MS; i++) {
        delay_ms *= 2;
    }
    if (delay_ms > PR_CHILD_BACKOFF_MAX_MS) {
        delay_ms = PR_CHILD_BACKOFF_MAX_MS;
    }
    /* Spread, so that children that died together do not come back together. */
    delay_ms = delay_ms * 3 / 4 + (int64_t) random % (delay_ms / 2 + 1);
    return delay_ms < PR_CHILD_BACKOFF_MAX_MS ? delay_ms : PR_CHILD_BACKOFF_MAX_MS;
}

int64_t
sv_backoff_died(sv_backoff_t *self, int64_t now_ms, int64_t ready_ms, uint32_t random)
{
    bool early = ready_ms < PR_CHILD_PROVEN_MS;
    if (early && s_too_many(self, now_ms)) {
        return -1;
    }
    if (ready_ms >= 0) {
        self->failures = 0;
        return 0;
    }
    return s_delay(self->failures++, random);
}
