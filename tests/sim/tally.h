/* SPDX-License-Identifier: MIT */

/* What the processes of all lives counted: shows what the lives met with (option --tally). */

#ifndef SIM_TALLY_H
#define SIM_TALLY_H

#include "gateway/stats.h"
#include "proto/wire/value.h"

/* Adds one msgpack map of counters. */
void
sim_tally_add(pr_str_t map);
void
sim_tally_print(void);

#endif
