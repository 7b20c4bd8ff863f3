/* SPDX-License-Identifier: MIT */

/* A ranking: nomination ids, best first. Not changed once made. */

#ifndef PR_BALLOT_H
#define PR_BALLOT_H

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/wire/value.h"

typedef struct pr_ballot pr_ballot_t;

/* From a msgpack array of texts of at most 255 bytes. 0, PR_E_MALFORMED or PR_E_NOMEM. */
PR_MUST_CHECK int
pr_ballot_from_msgpack(const msgpack_object *value, pr_ballot_t **out);
void
pr_ballot_destroy(pr_ballot_t **self_p);

void
pr_ballot_pack(const pr_ballot_t *self, msgpack_packer *packer);
void
pr_ballot_write_json(const pr_ballot_t *self, pr_buf_t *out);

#endif
