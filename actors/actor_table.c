/* SPDX-License-Identifier: MIT */

/* The state table, and the cells that do nothing or nearly so. */

#include <assert.h>

#include "actors/actor_body.h"
#include "proto/base/log.h"

static_assert((int) AC_ON_SAVED == (int) AC_STEP_SAVED, "steps and events are one list");
static_assert((int) AC_ON_ROOT_WRITE == (int) AC_STEP_ROOT_WRITE, "steps and events are one list");
static_assert((int) AC_ON_GONE == (int) AC_STEP_GONE, "steps and events are one list");
static_assert((int) AC_ON_TAKEN_OVER == (int) AC_STEP_LOST, "steps and events are one list");
static_assert((int) AC_ON_SYNC == (int) AC_STEP_COUNT, "steps and events are one list");

static const char *const s_state_names[AC_STATE_COUNT] = {
#define X(name) [AC_STATE_##name] = #name,
    AC_STATES(X)
#undef X
};

#define AC_ROW(on, ...) [AC_ON_##on] = #on,
static const char *const s_on_names[AC_ON_COUNT] = {
#include "actors/actor_table.def"
};
#undef AC_ROW

AC_CELL(nop)
{
    (void) input;
    return self->state;
}

/* Our mistake, but not worth the other polls. */
AC_CELL(bug)
{
    (void) input;
    self->env->counters.bugs++;
    pr_log_error("actor.bug", "poll=%s state=%s", self->id, s_state_names[self->state]);
    return self->state;
}

AC_CELL(free)
{
    (void) self;
    (void) input;
    return AC_STATE_FREE;
}

AC_CELL(unsure)
{
    (void) self;
    (void) input;
    return AC_STATE_UNSURE;
}

AC_CELL(reopen)
{
    (void) input;
    return self->env->generation > self->lost_generation ? AC_STATE_FREE : self->state;
}

#define AC_ROW(on, a, b, c, d, e, f, g, h, i, j)                                                   \
    [AC_ON_##on] = {ac_cell_##a, ac_cell_##b, ac_cell_##c, ac_cell_##d, ac_cell_##e,               \
                    ac_cell_##f, ac_cell_##g, ac_cell_##h, ac_cell_##i, ac_cell_##j},

static const ac_cell_t s_table[AC_ON_COUNT][AC_STATE_COUNT] = {
#include "actors/actor_table.def"
};

ac_cell_t
ac_actor_cell(ac_on_t on, ac_state_t state)
{
    PR_ASSERT(on >= 0 && on < AC_ON_COUNT && state >= 0 && state < AC_STATE_COUNT);
    return s_table[on][state];
}

const char *
ac_on_name(ac_on_t on)
{
    return s_on_names[on];
}

const char *
ac_state_name(ac_state_t state)
{
    return s_state_names[state];
}
