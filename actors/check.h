/* SPDX-License-Identifier: MIT */

/*
 * What a fresh connection goes through before the store counts as up: ROLE says master, INFO names
 * the server, the scripts are loaded, and a server that we have not met yet passes the probe.
 * LOADING and the like start it over, after a pause; so does it with a new connection what is not a
 * primary.
 */

#ifndef AC_CHECK_H
#define AC_CHECK_H

#include "actors/redis.h"
#include "actors/script.h"

typedef struct ac_check ac_check_t;

typedef struct {
    void (*fit)(void *arg);
    /* The probe failed. The connection is given up and dialled again after PR_STORE_UNFIT_MS. */
    void (*unfit)(void *arg, const char *line);
} ac_check_ops_t;

/* NULL when out of memory. */
ac_check_t *
ac_check_new(pr_loop_t *loop, ac_redis_t *redis, const ac_check_ops_t *ops, void *arg);

/* Only after the connection has been destroyed: until then answers may come. NULL is fine. */
void
ac_check_destroy(ac_check_t **self_p);

/* The connection is ready. */
void
ac_check_start(ac_check_t *self);
/* The connection is gone; all that we sent has been answered with NULL. */
void
ac_check_stop(ac_check_t *self);

/* Loads one script again, after NOSCRIPT; what is sent after it finds it there. */
void
ac_check_reload(ac_check_t *self, ac_script_t script);

const ac_script_shas_t *
ac_check_shas(const ac_check_t *self);
/* "" until known. */
const char *
ac_check_version(const ac_check_t *self);

#endif
