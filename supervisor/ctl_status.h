/* SPDX-License-Identifier: MIT */

/* What rollcallctl reads out of the answer to `status`, and how it shows it. */

#ifndef SV_CTL_STATUS_H
#define SV_CTL_STATUS_H

#include <stdio.h>

#include "proto/wire/message.h"

/* A table for people. */
void
sv_ctl_status_print(const msgpack_object *status, FILE *out);

/* "a1 is ready, process 4711" for one child's map. */
void
sv_ctl_status_print_child(const msgpack_object *child, FILE *out);

/* The map of child `name` in a status, or NULL. */
const msgpack_object *
sv_ctl_status_child(const msgpack_object *status, const char *name);

/* The children's list, for walks; NULL if it is missing. */
const msgpack_object_array *
sv_ctl_status_children(const msgpack_object *status);

/* A text member of a map; "" if it is missing, which is absent or no text. */
pr_str_t
sv_ctl_status_text(const msgpack_object *map, const char *key);

#endif
