/* SPDX-License-Identifier: MIT */

/*
 * Which poll this process has in its hands, in a file that outlives it: if one poll's document or
 * events make the core or an encoder crash, the supervisor finds its name there (see
 * supervisor/quarantine.h) instead of starting actors again for ever. The file holds "POLL WHAT"
 * and NULs while an actor decides or encodes, and NULs alone in between; never while a script is
 * out. It is mapped: to write it costs no system call.
 */

#ifndef AC_POISON_H
#define AC_POISON_H

#include "proto/base/assert.h"
#include "proto/base/bytes.h"

typedef struct ac_poison ac_poison_t;

/* Makes the file anew. NULL if it can not be made or mapped: then nobody will know. */
ac_poison_t *
ac_poison_new(const char *path);
void
ac_poison_destroy(ac_poison_t **self_p);

/* From now on `poll` is to blame. Both do nothing with a NULL `self`. */
void
ac_poison_enter(ac_poison_t *self, pr_str_t poll, const char *what);
void
ac_poison_leave(ac_poison_t *self);

#endif
