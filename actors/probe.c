/* SPDX-License-Identifier: MIT */

#include "actors/probe.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "actors/answer.h"
#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"

#define ARGS_MAX 10
#define LIFE_MS 60000
/* JSON.MERGE came with RedisJSON 2.6. */
#define MODULE_VERSION_MIN 20600

typedef struct step step_t;

/* Whether the reply is right; if not, may write why to `why`. `flat` is the reply as one text. */
typedef bool (*check_t)(const step_t *step, const ac_reply_t *reply, pr_str_t flat, pr_buf_t *why);

struct step {
    const char *name;
    check_t check;
    const char *expected;
    const char *args[ARGS_MAX]; /* `@name` is replaced, see s_expand */
};

struct ac_probe {
    ac_redis_t *redis;
    ac_script_shas_t shas;
    char version[32];
    ac_probe_done_t done;
    void *arg;
    size_t step;
    bool awaiting; /* an answer is still to come: memory stays until then */
    bool destroyed;
    char key[32];
    char doc[32];
    char own[40];
    char ends[24];
};

/* --- checks --- */

static bool
s_is(const step_t *step, const ac_reply_t *reply, pr_str_t flat, pr_buf_t *why)
{
    (void) reply;
    (void) why;
    return pr_str_equal(flat, pr_str(step->expected));
}

static bool
s_starts(const step_t *step, const ac_reply_t *reply, pr_str_t flat, pr_buf_t *why)
{
    (void) reply;
    (void) why;
    return pr_str_starts(flat, pr_str(step->expected));
}

static bool
s_is_error(const step_t *step, const ac_reply_t *reply, pr_str_t flat, pr_buf_t *why)
{
    (void) step;
    (void) flat;
    (void) why;
    return ac_reply_kind(reply) == AC_REPLY_ERROR;
}

static bool
s_is_positive(const step_t *step, const ac_reply_t *reply, pr_str_t flat, pr_buf_t *why)
{
    (void) step;
    (void) flat;
    (void) why;
    return ac_reply_integer(reply) > 0;
}

/* Members may come in any order. */
static bool
s_is_json(const step_t *step, const ac_reply_t *reply, pr_str_t flat, pr_buf_t *why)
{
    (void) reply;
    (void) why;
    json_t *have = json_loadb(flat.ptr, flat.len, 0, NULL);
    json_t *want = json_loads(step->expected, 0, NULL);
    bool equal = have && want && json_equal(have, want);
    json_decref(have);
    json_decref(want);
    return equal;
}

static bool
s_has(pr_str_t text, const char *what)
{
    return text.ptr && memmem(text.ptr, text.len, what, strlen(what));
}

/* Not our business to refuse, but whoever runs this should know what it means. */
static bool
s_warn_of_persistence(const step_t *step, const ac_reply_t *reply, pr_str_t flat, pr_buf_t *why)
{
    (void) step;
    (void) why;
    if (ac_reply_kind(reply) == AC_REPLY_TEXT &&
        (!s_has(flat, "aof_enabled:1") || !s_has(flat, "aof_last_write_status:ok"))) {
        pr_log_warn("store.not_durable",
                    "why=\"the server's append-only file is off or failing: what is saved may be "
                    "lost with it\"");
    }
    return true;
}

static bool
s_is_no_cluster(const step_t *step, const ac_reply_t *reply, pr_str_t flat, pr_buf_t *why)
{
    (void) step;
    (void) reply;
    if (s_has(flat, "cluster_enabled:1")) {
        pr_buf_append_str(why, PR_STR("it is part of a Redis Cluster"));
        return false;
    }
    return true;
}

/* The version in one entry of MODULE LIST ("name", NAME, "ver", VERSION, …) if it is RedisJSON's.
 */
static int64_t
s_module_version(const ac_reply_t *entry)
{
    int64_t version = 0;
    bool is_json = false;
    for (size_t i = 0; i + 1 < ac_reply_count(entry); i += 2) {
        const ac_reply_t *value = ac_reply_at(entry, i + 1);
        pr_str_t name = ac_reply_text(ac_reply_at(entry, i));
        if (pr_str_equal(name, PR_STR("name"))) {
            is_json = pr_str_equal(ac_reply_text(value), PR_STR("ReJSON"));
        } else if (pr_str_equal(name, PR_STR("ver"))) {
            version = ac_reply_integer(value);
        }
    }
    return is_json ? version : 0;
}

/* Refused or without an entry: the commands themselves will tell. */
static bool
s_has_module(const step_t *step, const ac_reply_t *reply, pr_str_t flat, pr_buf_t *why)
{
    (void) step;
    (void) flat;
    for (size_t i = 0; i < ac_reply_count(reply); i++) {
        int64_t version = s_module_version(ac_reply_at(reply, i));
        if (version > 0 && version < MODULE_VERSION_MIN) {
            pr_buf_append_fmt(why, "its RedisJSON has version %d", (int) version);
            return false;
        }
    }
    return true;
}

/* --- the steps --- */

static const char s_first[] = "{\"id\":\"probe\",\"participants\":{},"
                              "\"meta\":{\"version\":1,\"rev\":\"1-a\",\"nonce\":\"n\"}}";
static const char s_patch[] = "{\"participants\":{\"u\":\"n\"},"
                              "\"meta\":{\"version\":2,\"rev\":\"2-b\"}}";
static const char s_whole[] = "{\"id\":\"probe\",\"participants\":{},"
                              "\"meta\":{\"version\":3,\"rev\":\"3-c\",\"nonce\":\"n\"}}";

static const step_t s_steps[] = {
    {"persistence", s_warn_of_persistence, NULL, {"INFO", "persistence"}},
    {"cluster", s_is_no_cluster, NULL, {"INFO", "cluster"}},
    {"module", s_has_module, NULL, {"MODULE", "LIST"}},

    {"json.set", s_is, "OK", {"JSON.SET", "@key", "$", "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}"}},
    {"expiry", s_is, "1", {"PEXPIREAT", "@key", "@ends"}},
    {"json.merge",
     s_is,
     "OK",
     {"JSON.MERGE", "@key", "$", "{\"a\":null,\"b\":{\"c\":4},\"meta\":{\"rev\":\"2-b\"}}"}},
    {"json.get",
     s_is_json,
     "{\"b\":{\"c\":4,\"d\":3},\"meta\":{\"rev\":\"2-b\"}}",
     {"JSON.GET", "@key"}},
    {"broken json", s_is_error, NULL, {"JSON.MERGE", "@key", "$", "{\"a\":"}},
    {"document after broken json",
     s_is_json,
     "{\"b\":{\"c\":4,\"d\":3},\"meta\":{\"rev\":\"2-b\"}}",
     {"JSON.GET", "@key"}},
    {"expiry after json.merge", s_is_positive, NULL, {"PTTL", "@key"}},
    {"json path", s_is, "[\"2-b\"]", {"JSON.GET", "@key", "$.meta.rev"}},
    {"unlink", s_is, "1", {"UNLINK", "@key"}},

#define CREATE(nonce)                                                                              \
    {"EVALSHA", "@create", "2", "@doc", "@own", "7", "probe", s_first, "@ends", nonce}
#define CLAIM(generation) {"EVALSHA", "@claim", "2", "@doc", "@own", generation, "probe"}
#define WRITE(token, from, to, patch)                                                              \
    {"EVALSHA", "@write", "2", "@doc", "@own", token, from, to, patch}
#define FINISH {"EVALSHA", "@finish", "2", "@doc", "@own", "7:2:probe"}
    {"create", s_is, "1 7:1:probe", CREATE("n")},
    {"create again", s_is, "0 7:1:probe", CREATE("n")},
    {"create over it", s_is, "-TAKEN poll", CREATE("m")},
    {"claim", s_starts, "1 7:2:probe {", CLAIM("7")},
    {"claim by an old roster", s_is, "-STALE 7:2:probe", CLAIM("6")},
    {"write", s_is, "1 2-b", WRITE("7:2:probe", "1-a", "2-b", s_patch)},
    {"write again", s_is, "0 2-b", WRITE("7:2:probe", "1-a", "2-b", s_patch)},
    {"write in conflict", s_is, "-CONFLICT 2-b", WRITE("7:2:probe", "1-a", "3-c", s_whole)},
    {"write by an old owner", s_is, "-FENCED 7:2:probe", WRITE("7:1:probe", "2-b", "3-c", s_whole)},
    {"write of no object", s_starts, "-BADARG ", WRITE("7:2:probe", "2-b", "3-c", "[]")},
    {"root write",
     s_is,
     "1 3-c",
     {"EVALSHA", "@write", "2", "@doc", "@own", "7:2:probe", "2-b", "3-c", s_whole, "@ends"}},
    {"finish", s_is, "1", FINISH},
    {"finish again", s_is, "0", FINISH},
    {"claim of what ended", s_is, "-NODOC ended", CLAIM("7")},
    {"unlink of the record", s_is, "1", {"UNLINK", "@own"}},
    {"roster", s_is, "1 1", {"EVALSHA", "@roster", "1", "@key", "none", "1", "body"}},
    {"unlink of the roster", s_is, "1", {"UNLINK", "@key"}},
#undef CREATE
#undef CLAIM
#undef WRITE
#undef FINISH
};

#define STEP_COUNT (sizeof s_steps / sizeof s_steps[0])

static void
s_next(ac_probe_t *self);

static pr_str_t
s_expand(const ac_probe_t *self, const char *arg)
{
    if (arg[0] != '@') {
        return pr_str(arg);
    }
    for (int i = 0; i < AC_SCRIPT_COUNT; i++) {
        if (strcmp(arg + 1, ac_script_name(i)) == 0) {
            return pr_str(self->shas.sha[i]);
        }
    }
    const char *const values[][2] = {
        {"@key", self->key}, {"@doc", self->doc}, {"@own", self->own}, {"@ends", self->ends}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(arg, values[i][0]) == 0) {
            return pr_str(values[i][1]);
        }
    }
    bool is_known = false;
    PR_ASSERT(is_known);
    return PR_STR_NONE;
}

/* The reply as one text: errors with a dash before them, parts of an array with blanks between. */
static void
s_flatten(const ac_reply_t *reply, pr_buf_t *out)
{
    switch (ac_reply_kind(reply)) {
    case AC_REPLY_NIL:
        pr_buf_append_str(out, PR_STR("(nil)"));
        break;
    case AC_REPLY_INTEGER:
        pr_buf_append_int(out, ac_reply_integer(reply));
        break;
    case AC_REPLY_ERROR:
        pr_buf_append_byte(out, '-');
        pr_buf_append_str(out, ac_reply_text(reply));
        break;
    case AC_REPLY_TEXT:
        pr_buf_append_str(out, ac_reply_text(reply));
        break;
    case AC_REPLY_ARRAY:
        for (size_t i = 0; i < ac_reply_count(reply); i++) {
            const ac_reply_t *part = ac_reply_at(reply, i);
            pr_buf_append_str(out, i > 0 ? PR_STR(" ") : PR_STR(""));
            if (ac_reply_kind(part) != AC_REPLY_ARRAY) {
                s_flatten(part, out);
            }
        }
        break;
    }
}

/* Ends it. Nothing of `self` may be touched afterwards. */
static void
s_end(ac_probe_t *self, ac_probe_result_t result, const char *line)
{
    self->step = STEP_COUNT;
    self->done(self->arg, result, line);
}

/* Cuts what an unknown command says about its arguments, and all that would not do in a log line.
 */
static void
s_tidy(pr_str_t said, char *out, size_t size)
{
    const char *args = said.len > 0 ? memmem(said.ptr, said.len, ", with args", 11) : NULL;
    size_t end = args ? (size_t) (args - said.ptr) : said.len;
    size_t len = 0;
    for (size_t i = 0; i < end && len < size - 1; i++) {
        char byte = said.ptr[i];
        out[len] = ' ';
        if (byte >= ' ' && byte <= '~' && byte != '"') {
            out[len] = byte;
        }
        len++;
    }
    out[len] = '\0';
}

static const char *
s_advice(const step_t *step, pr_str_t flat)
{
    if (step->check == s_is_no_cluster) {
        return "point redis.url at a single primary";
    }
    if (s_has(flat, "NOPERM")) {
        return "its user needs the rights " AC_PROBE_RIGHTS;
    }
    return "Rollcall needs Redis 7 or newer with RedisJSON 2.6 or newer: let ops/run bring its "
           "own, "
           "use Redis 8, or load rejson.so";
}

static void
s_fail(ac_probe_t *self, pr_str_t flat, pr_str_t why)
{
    const step_t *step = &s_steps[self->step];
    char text[161];
    s_tidy(why.len > 0 ? why : flat, text, sizeof text);
    char line[768];
    (void) snprintf(
        line, sizeof line, "the store cannot serve: step '%s' on Redis %s at %s: %s (%s)",
        step->name, self->version[0] ? self->version : "of unknown version",
        ac_redis_where(self->redis), text[0] ? text : "unexpected answer", s_advice(step, flat));
    s_end(self, AC_PROBE_UNFIT, line);
}

bool
ac_probe_is_passing(pr_str_t error)
{
    static const char *const words[] = {"LOADING",  "BUSY",       "OOM",        "READONLY",
                                        "MISCONF",  "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN",
                                        "TRYAGAIN", "NOSCRIPT"};
    pr_str_t word = ac_answer_code(error);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (word.ptr && pr_str_equal(word, pr_str(words[i]))) {
            return true;
        }
    }
    return false;
}

static void
s_judge(ac_probe_t *self, const ac_reply_t *reply)
{
    const step_t *step = &s_steps[self->step];
    pr_buf_t *flat = pr_buf_new(128);
    pr_buf_t *why = pr_buf_new(0);
    if (flat && why) {
        s_flatten(reply, flat);
    }
    if (!flat || !why || pr_buf_failed(flat)) {
        s_end(self, AC_PROBE_AGAIN, "out of memory");
    } else if (step->check(step, reply, pr_buf_str(flat), why)) {
        self->step++;
        s_next(self);
    } else if (ac_reply_kind(reply) == AC_REPLY_ERROR &&
               ac_probe_is_passing(ac_reply_text(reply))) {
        char line[128];
        (void) snprintf(line, sizeof line, "%.*s", PR_STR_ARG(ac_reply_text(reply)));
        s_end(self, AC_PROBE_AGAIN, line);
    } else {
        s_fail(self, pr_buf_str(flat), pr_buf_str(why));
    }
    pr_buf_destroy(&flat);
    pr_buf_destroy(&why);
}

static void
s_answer(void *arg, const ac_reply_t *reply)
{
    ac_probe_t *self = arg;
    self->awaiting = false;
    if (self->destroyed) {
        free(self);
    } else if (!reply) {
        s_end(self, AC_PROBE_AGAIN, "connection lost");
    } else {
        s_judge(self, reply);
    }
}

static bool
s_send(ac_probe_t *self)
{
    const step_t *step = &s_steps[self->step];
    pr_str_t argv[ARGS_MAX];
    size_t argc = 0;
    while (argc < ARGS_MAX && step->args[argc]) {
        argv[argc] = s_expand(self, step->args[argc]);
        argc++;
    }
    self->awaiting = ac_redis_send(self->redis, argc, argv, s_answer, self);
    return self->awaiting;
}

static void
s_next(ac_probe_t *self)
{
    if (self->step == STEP_COUNT) {
        s_end(self, AC_PROBE_FIT, "");
    } else if (!s_send(self)) {
        s_end(self, AC_PROBE_AGAIN, "connection lost");
    }
}

ac_probe_t *
ac_probe_new(ac_redis_t *redis,
             const ac_script_shas_t *shas,
             const char *version,
             ac_probe_done_t done,
             void *arg)
{
    PR_ASSERT(redis && shas && version && done);
    ac_probe_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->redis = redis;
    self->shas = *shas;
    self->done = done;
    self->arg = arg;
    int64_t ends_ms = pr_clock_wall_ms() + LIFE_MS;
    char name[17];
    pr_random_text(name, sizeof name - 1, "0123456789abcdef");
    (void) snprintf(self->version, sizeof self->version, "%s", version);
    (void) snprintf(self->key, sizeof self->key, "probe:%s", name);
    (void) snprintf(self->doc, sizeof self->doc, "polls:probe-%s", name);
    (void) snprintf(self->own, sizeof self->own, "own:{%s}", self->doc);
    (void) snprintf(self->ends, sizeof self->ends, "%lld", (long long) ends_ms);
    if (!s_send(self)) {
        free(self);
        return NULL;
    }
    return self;
}

void
ac_probe_destroy(ac_probe_t **self_p)
{
    PR_ASSERT(self_p);
    ac_probe_t *self = *self_p;
    *self_p = NULL;
    if (!self) {
        return;
    }
    self->destroyed = true;
    if (!self->awaiting) {
        free(self);
    }
}
