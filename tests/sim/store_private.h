/* SPDX-License-Identifier: MIT */

/* What store_model.c (keys and their past) and store_scripts.c (what scripts do to them) share. */

#ifndef SIM_STORE_PRIVATE_H
#define SIM_STORE_PRIVATE_H

#include "tests/sim/store_model.h"

/* The keys have changed. */
void
sim_stored_changed(sim_stored_t *self);
/* A document was accepted in place of `before` (may be NULL). */
void
sim_stored_accept(sim_stored_t *self, const json_t *before, bool is_whole);

/* The scripts of actors/scripts/, line by line; `args` is ARGV. */
void
sim_script_create(sim_stored_t *self, const pr_str_t *args, size_t count, pr_buf_t *out);
void
sim_script_claim(sim_stored_t *self, const pr_str_t *args, size_t count, pr_buf_t *out);
void
sim_script_write(sim_stored_t *self, const pr_str_t *args, size_t count, pr_buf_t *out);
void
sim_script_finish(sim_stored_t *self, const pr_str_t *args, size_t count, pr_buf_t *out);

#endif
