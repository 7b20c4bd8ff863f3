/* SPDX-License-Identifier: MIT */

/*
 * The live actors of a process by poll, and who of them wants a turn. No turn ever walks over all
 * of them: it takes those that asked. One that has finished is forgotten at once and freed at the
 * end of the turn, so that a new one of the same poll can take its place.
 */

#ifndef AC_DIRECTORY_H
#define AC_DIRECTORY_H

#include "actors/actor.h"

typedef struct ac_directory ac_directory_t;

/* NULL when out of memory. */
ac_directory_t *
ac_directory_new(void);
/* Destroys the actors, too. */
void
ac_directory_destroy(ac_directory_t **self_p);

/* The live actor of that poll, or NULL. */
ac_actor_t *
ac_directory_get(const ac_directory_t *self, pr_str_t poll);
/* A new one; NULL when out of memory or at PR_ACTORS_MAX. There must be none of that poll. */
ac_actor_t *
ac_directory_add(ac_directory_t *self, ac_env_t *env, pr_str_t poll);
size_t
ac_directory_count(const ac_directory_t *self);

/* As in ac_actor_ops_t. */
void
ac_directory_wake(ac_directory_t *self, ac_actor_t *actor);
void
ac_directory_finished(ac_directory_t *self, ac_actor_t *actor);

/* All of them are to be asked whether the store still has what it acknowledged. */
void
ac_directory_verify_all(ac_directory_t *self);
/* Asks so many; returns how many scripts went out. */
size_t
ac_directory_verify(ac_directory_t *self, size_t most);
bool
ac_directory_has_to_verify(const ac_directory_t *self);

/* Gives a turn to those who asked for one; says whether some asked again. */
bool
ac_directory_think(ac_directory_t *self);
/* Frees the finished. */
void
ac_directory_reap(ac_directory_t *self);

/* Calls `run` with every live actor; any of them may finish in it. For rare events. */
void
ac_directory_for_each(ac_directory_t *self, void (*run)(ac_actor_t *actor, void *arg), void *arg);

#endif
