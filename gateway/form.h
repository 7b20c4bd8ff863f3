/* SPDX-License-Identifier: MIT */

/*
 * Bodies of HTML forms (application/x-www-form-urlencoded) as the JSON that validation looks at.
 * All values are texts, as in the original; a name with brackets, or one that comes twice, holds
 * something that is none. Pure.
 */

#ifndef GW_FORM_H
#define GW_FORM_H

#include <jansson.h>

#include "proto/base/bytes.h"

/* Fields of one form; the rest is ignored. */
#define GW_FORM_FIELDS_MAX 64

/* An object, the caller's; empty for an empty body. NULL when out of memory. What is no UTF-8 after
 * decoding reads as U+FFFD. */
json_t *
gw_form_parse(pr_str_t body);

#endif
