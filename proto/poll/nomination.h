/* SPDX-License-Identifier: MIT */

/* An option to vote for: who proposed it, and its words. Not changed once made. */

#ifndef PR_NOMINATION_H
#define PR_NOMINATION_H

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/wire/value.h"

typedef struct pr_nomination pr_nomination_t;

/* From {"userID": …, "text": …}. 0, PR_E_MALFORMED or PR_E_NOMEM. */
PR_MUST_CHECK int
pr_nomination_from_msgpack(const msgpack_object *value, pr_nomination_t **out);
void
pr_nomination_destroy(pr_nomination_t **self_p);

void
pr_nomination_pack(const pr_nomination_t *self, msgpack_packer *packer);
void
pr_nomination_write_json(const pr_nomination_t *self, pr_buf_t *out);

#endif
