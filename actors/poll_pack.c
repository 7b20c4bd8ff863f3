/* SPDX-License-Identifier: MIT */

/* The public document of a poll, whole, as msgpack. Patches of it come from ac_batch_t. */

#include "actors/poll.h"
#include "actors/poll_body.h"
#include "proto/wire/message.h"

#define PUBLIC_MEMBERS 13

static void
s_pack_participants(msgpack_packer *packer, const ac_poll_t *self)
{
    size_t count = pr_map_count(self->participants);
    pr_pack_str(packer, PR_STR("participants"));
    msgpack_pack_map(packer, count);
    for (size_t i = 0; i < count; i++) {
        pr_pack_str(packer, pr_map_key_at(self->participants, i));
        pr_pack_str(packer, pr_text_str(pr_map_value_at(self->participants, i)));
    }
}

static void
s_pack_nominations(msgpack_packer *packer, const ac_poll_t *self)
{
    size_t count = pr_map_count(self->nominations);
    pr_pack_str(packer, PR_STR("nominations"));
    msgpack_pack_map(packer, count);
    for (size_t i = 0; i < count; i++) {
        const ac_nomination_t *nomination = pr_map_value_at(self->nominations, i);
        pr_pack_str(packer, pr_map_key_at(self->nominations, i));
        msgpack_pack_map(packer, 2);
        pr_pack_str(packer, PR_STR("userID"));
        pr_pack_str(packer, pr_str(nomination->user));
        pr_pack_str(packer, PR_STR("text"));
        pr_pack_str(packer, pr_text_str(nomination->text));
    }
}

/* Who has voted shows; how, only in a poll of open ballots. */
static void
s_pack_rankings(msgpack_packer *packer, const ac_poll_t *self)
{
    size_t count = pr_map_count(self->rankings);
    pr_pack_str(packer, PR_STR("rankings"));
    msgpack_pack_map(packer, count);
    for (size_t i = 0; i < count; i++) {
        const ac_ballot_t *ballot = pr_map_value_at(self->rankings, i);
        size_t shown = self->ballots_open ? ballot->count : 0;
        pr_pack_str(packer, pr_map_key_at(self->rankings, i));
        msgpack_pack_array(packer, shown);
        for (size_t j = 0; j < shown; j++) {
            pr_pack_str(packer, pr_str(ballot->choices[j]));
        }
    }
}

void
ac_poll_pack_results(const ac_poll_t *self, msgpack_packer *packer)
{
    msgpack_pack_array(packer, self->result_count);
    for (size_t i = 0; i < self->result_count; i++) {
        const ac_result_t *result = &self->results[i];
        msgpack_pack_map(packer, 3);
        pr_pack_str(packer, PR_STR("nominationID"));
        pr_pack_str(packer, pr_str(result->nomination));
        pr_pack_str(packer, PR_STR("nominationText"));
        pr_pack_str(packer, pr_text_str(result->text));
        pr_pack_str(packer, PR_STR("score"));
        msgpack_pack_double(packer, result->score);
    }
}

bool
ac_poll_pack_ballot(const ac_poll_t *self, pr_str_t user, pr_buf_t *out)
{
    const ac_ballot_t *ballot = pr_map_get(self->rankings, user);
    if (!ballot) {
        return false;
    }
    msgpack_packer packer = pr_packer(out);
    msgpack_pack_array(&packer, ballot->count);
    for (size_t i = 0; i < ballot->count; i++) {
        pr_pack_str(&packer, pr_str(ballot->choices[i]));
    }
    return !pr_buf_failed(out);
}

void
ac_poll_write_public(const ac_poll_t *self, pr_rev_t rev, pr_buf_t *out)
{
    msgpack_packer packer = pr_packer(out);
    msgpack_pack_map(&packer, PUBLIC_MEMBERS);
    pr_pack_str(&packer, PR_STR("id"));
    pr_pack_str(&packer, pr_str(self->id));
    pr_pack_str(&packer, PR_STR("topic"));
    pr_pack_str(&packer, pr_text_str(self->topic));
    pr_pack_str(&packer, PR_STR("votesPerVoter"));
    msgpack_pack_int64(&packer, self->votes);
    s_pack_participants(&packer, self);
    s_pack_nominations(&packer, self);
    s_pack_rankings(&packer, self);
    pr_pack_str(&packer, PR_STR("results"));
    ac_poll_pack_results(self, &packer);
    pr_pack_str(&packer, PR_STR("adminID"));
    pr_pack_str(&packer, pr_str(self->admin));
    pr_pack_str(&packer, PR_STR("hasStarted"));
    if (self->has_started) {
        msgpack_pack_true(&packer);
    } else {
        msgpack_pack_false(&packer);
    }
    pr_pack_str(&packer, PR_STR("version"));
    msgpack_pack_int64(&packer, rev.version);
    pr_pack_str(&packer, PR_STR("rev"));
    pr_pack_str(&packer, pr_str(pr_rev_format(rev).text));
    pr_pack_str(&packer, PR_STR("state"));
    pr_pack_str(&packer, pr_str(ac_phase_names[self->phase]));
    pr_pack_str(&packer, PR_STR("endsAt"));
    msgpack_pack_int64(&packer, self->ends_at);
}
