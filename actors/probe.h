/* SPDX-License-Identifier: MIT */

/*
 * Tries on scratch keys whether a server can serve us: RedisJSON with JSON.MERGE that behaves as we
 * know it, and each answer of the scripts. It is asked before the first request, and again when
 * another server (another run_id) stands behind the same address. The steps are a table in probe.c.
 */

#ifndef AC_PROBE_H
#define AC_PROBE_H

#include "actors/redis.h"
#include "actors/script.h"

/* What an ACL has to grant the user that we come as. JSON.* is in no category: each is named. */
#define AC_PROBE_RIGHTS                                                                            \
    "~polls:* ~own:{polls:*} ~probe:* ~roster +json.get +json.set +json.merge +json.del +get "     \
    "+set "                                                                                        \
    "+exists +unlink +pexpireat +pttl +time +eval +evalsha +script|load +ping +auth +info +role "  \
    "+module|list +client|setname"

typedef struct ac_probe ac_probe_t;

typedef enum {
    AC_PROBE_FIT,
    AC_PROBE_UNFIT, /* it will not do: `line` says what failed and what to do */
    AC_PROBE_AGAIN  /* connection lost, LOADING, OOM …: it could not be told; `line` says why */
} ac_probe_result_t;

/* Called once, from the loop; the probe may be destroyed from within. `line` is borrowed. */
typedef void (*ac_probe_done_t)(void *arg, ac_probe_result_t result, const char *line);

/*
 * Starts. `redis` must be ready and have the scripts of `shas` (copied); `version` is the server's,
 * for the line (copied). NULL when out of memory or when nothing could be sent.
 */
ac_probe_t *
ac_probe_new(ac_redis_t *redis,
             const ac_script_shas_t *shas,
             const char *version,
             ac_probe_done_t done,
             void *arg);

/* Stops it without a result, if there was none yet. NULL is fine. Its scratch keys go by
 * themselves. */
void
ac_probe_destroy(ac_probe_t **self_p);

/* Whether an error says "later", and not that the command is wrong. LOADING, OOM, READONLY … */
bool
ac_probe_is_passing(pr_str_t error);

#endif
