/* SPDX-License-Identifier: MIT */

/* The one actor of a test, on its rig. For one file of a test. */

#ifndef ACTOR_WORLD_H
#define ACTOR_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/actor.h"
#include "tests/support/actor_rig.h"

static t_rig_t s_rig;
static ac_actor_t *s_actor;

static inline void
s_begin(void)
{
    t_rig_init(&s_rig);
    s_actor = ac_actor_new(&s_rig.env, T_RIG_POLL);
    assert_non_null(s_actor);
}

static inline int
s_teardown(void **state)
{
    (void) state;
    ac_actor_destroy(&s_actor);
    t_rig_fini(&s_rig);
    return 0;
}

/* A gateway says this. */
static inline void
s_event(uint32_t gateway, const pr_event_t *event)
{
    ac_actor_event(s_actor, gateway, event);
    t_rig_turn(&s_rig);
}

/* The store answers what is out. */
static inline void
s_answer(ac_answer_kind_t kind, const char *text)
{
    t_rig_answer(&s_rig, kind, text, NULL);
    t_rig_turn(&s_rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

#endif
