/* SPDX-License-Identifier: MIT */

#include "actors/poll_rule.h"

#include "proto/base/digest.h"
#include "proto/base/digits.h"
#include "proto/base/fault.h"
#include "proto/poll/ids.h"
#include "proto/wire/error.h"

void
ac_rule_say(const ac_event_t *event, const char *words)
{
    if (event->words) {
        msgpack_packer packer = pr_packer(event->words);
        pr_pack_str(&packer, pr_str(words));
    }
}

int
ac_rule_refuse(const ac_event_t *event, const char *reason)
{
    ac_rule_say(event, reason);
    return PR_E_BAD_REQUEST;
}

int
ac_rule_must_be_in(const ac_poll_t *self, const ac_event_t *event)
{
    if (ac_poll_has_removed(self, event->user)) {
        return PR_E_REMOVED;
    }
    return ac_poll_lists(self, event->user) ? 0 : ac_rule_refuse(event, "You are not in this poll");
}

int
ac_rule_must_be_admin(const ac_poll_t *self, const ac_event_t *event)
{
    return pr_str_equal(event->user, pr_str(self->admin)) ? 0 : PR_E_UNAUTHORIZED;
}

const msgpack_object *
ac_rule_argument(const ac_event_t *event, pr_str_t name)
{
    const msgpack_object *args = NULL;
    if (!event->args.ptr || pr_value_unpack(event->args, event->memory, &args) != 0) {
        return NULL;
    }
    return pr_object_member(args, name);
}

ac_mark_t
ac_rule_mark(const ac_poll_t *self, pr_str_t user, pr_str_t id)
{
    static const char alphabet[] = PR_ID_WORD_CHARS;
    enum { LETTERS = 52, ALL = sizeof alphabet - 1 };
    pr_str_t parts[] = {pr_str(self->id), user, id};
    uint64_t digest = pr_digest(parts, 3);
    digest += PR_FAULT("core.new_mark") ? pr_map_count(self->nominations) : 0;
    ac_mark_t mark = {{0}};
    mark.text[0] = alphabet[digest % LETTERS];
    digest /= LETTERS;
    for (size_t i = 1; i < PR_NOMINATION_ID_LEN; i++) {
        mark.text[i] = alphabet[digest % ALL];
        digest /= ALL;
    }
    return mark;
}

ac_cast_t
ac_rule_cast(const ac_poll_t *self, pr_str_t user, pr_str_t id)
{
    enum { DIGITS_MAX = 15 };
    size_t end = id.len;
    while (end > 0 && id.ptr[end - 1] != '.') {
        end--;
    }
    ac_cast_t cast = {0};
    pr_str_t digits = {id.ptr + end, id.len - end};
    bool ordered = end > 0 && digits.len <= DIGITS_MAX &&
                   pr_digits_parse(digits, PR_INTEGER_MAX, &cast.number);
    cast.conn = ac_rule_mark(self, user, ordered ? (pr_str_t) {id.ptr, end - 1} : id);
    return cast;
}
