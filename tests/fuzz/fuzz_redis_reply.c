/* SPDX-License-Identifier: MIT */

/* What a server of Redis may answer: the first byte says in pieces of what size it comes. */

#include "actors/redis_reply.h"
#include "tests/fuzz/fuzz.h"

#define DEPTH_MAX 4

static void
s_look(const ac_reply_t *reply, int depth)
{
    if (!reply || depth > DEPTH_MAX) {
        return;
    }
    (void) ac_reply_kind(reply);
    (void) ac_reply_text(reply);
    (void) ac_reply_integer(reply);
    size_t count = ac_reply_count(reply);
    for (size_t i = 0; i < count && i < 16; i++) {
        s_look(ac_reply_at(reply, i), depth + 1);
    }
    PR_ASSERT(!ac_reply_at(reply, count));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pr_str_t bytes = {(const char *) data, size};
    size_t piece = (size_t) t_fuzz_byte(&bytes) + 1;
    ac_reply_reader_t *reader = ac_reply_reader_new();
    PR_ASSERT(reader);
    int error = 0;
    while (!error && bytes.len > 0) {
        pr_str_t some = t_fuzz_take(&bytes, piece);
        error = ac_reply_reader_feed(reader, some.ptr, some.len);
        ac_reply_t *reply = NULL;
        while (!error && (error = ac_reply_reader_next(reader, &reply)) == 0 && reply) {
            s_look(reply, 0);
            ac_reply_destroy(&reply);
        }
    }
    ac_reply_reader_destroy(&reader);
    return 0;
}
