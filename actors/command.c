/* SPDX-License-Identifier: MIT */

#include "actors/command.h"

#include <stdio.h>

#include "proto/base/assert.h"

static void
s_add(ac_command_t *self, pr_str_t word)
{
    PR_ASSERT(self->argc < AC_COMMAND_WORDS_MAX);
    self->argv[self->argc++] = word;
}

static void
s_add_ends(ac_command_t *self, const ac_request_t *request)
{
    (void) snprintf(self->ends, sizeof self->ends, "%lld", (long long) request->ends_at);
    s_add(self, pr_str(self->ends));
}

void
ac_command_build(ac_command_t *self,
                 const ac_request_t *request,
                 const char *sha,
                 const char *generation,
                 const char *incarnation)
{
    PR_ASSERT(self && request && sha && generation && incarnation);
    self->argc = 0;
    (void) snprintf(self->doc, sizeof self->doc, "polls:%s", request->poll);
    (void) snprintf(self->own, sizeof self->own, "own:{%s}", self->doc);
    s_add(self, PR_STR("EVALSHA"));
    s_add(self, pr_str(sha));
    s_add(self, PR_STR("2"));
    s_add(self, pr_str(self->doc));
    s_add(self, pr_str(self->own));
    switch (request->script) {
    case AC_SCRIPT_CREATE:
        s_add(self, pr_str(generation));
        s_add(self, pr_str(incarnation));
        s_add(self, pr_buf_str(request->body));
        s_add_ends(self, request);
        s_add(self, pr_str(request->nonce));
        break;
    case AC_SCRIPT_CLAIM:
        s_add(self, pr_str(generation));
        s_add(self, pr_str(incarnation));
        break;
    case AC_SCRIPT_WRITE:
        s_add(self, pr_str(request->token));
        s_add(self, pr_str(request->from));
        s_add(self, pr_str(request->to));
        s_add(self, pr_buf_str(request->body));
        if (request->ends_at > 0) {
            s_add_ends(self, request);
        }
        break;
    case AC_SCRIPT_FINISH:
        s_add(self, pr_str(request->token));
        break;
    }
}
