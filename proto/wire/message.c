/* SPDX-License-Identifier: MIT */

/* The codec walks tables that come from messages.def; no message has code of its own. */

#include "proto/wire/message.h"

#include <stddef.h>

#include "proto/wire/limits.h"

typedef enum { KIND_STR, KIND_INT, KIND_BOOL, KIND_ANY } kind_t;
typedef enum { NEED_MAY, NEED_MUST } need_t;

typedef struct {
    kind_t kind;
    need_t need;
    size_t offset; /* within the message's struct */
    const char *wire;
} field_t;

typedef struct {
    pr_message_type_t type;
    const char *name;
    const field_t *fields;
    size_t field_count;
} spec_t;

/* The tables, each behind a function so that offsetof knows the message's type. */
#define M(kind, need, field, wire) {KIND_##kind, NEED_##need, offsetof(this_t, field), wire},
#define PR_MESSAGE(number, NAME, name, way, members)                                               \
    static const spec_t *s_spec_##name(void)                                                       \
    {                                                                                              \
        typedef pr_msg_##name##_t this_t;                                                          \
        static const field_t fields[] = {members};                                                 \
        static const spec_t spec = {PR_MSG_##NAME, #NAME, fields,                                  \
                                    sizeof fields / sizeof fields[0]};                             \
        return &spec;                                                                              \
    }
#include "proto/wire/messages.def"
#undef PR_MESSAGE
#undef M

typedef const spec_t *(*spec_get_t)(void);

static const spec_get_t s_specs[] = {
#define PR_MESSAGE(number, NAME, name, way, members) s_spec_##name,
#include "proto/wire/messages.def"
#undef PR_MESSAGE
};

#define SPEC_COUNT (sizeof s_specs / sizeof s_specs[0])

static const spec_t *
s_spec_of(int64_t type)
{
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        const spec_t *spec = s_specs[i]();
        if (spec->type == type) {
            return spec;
        }
    }
    return NULL;
}

const char *
pr_message_name(int64_t type)
{
    const spec_t *spec = s_spec_of(type);
    return spec ? spec->name : "?";
}

int
pr_message_type_from_name(pr_str_t name)
{
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        const spec_t *spec = s_specs[i]();
        if (pr_str_equal(name, pr_str(spec->name))) {
            return (int) spec->type;
        }
    }
    return 0;
}

static void *
s_place(const pr_event_t *event, const field_t *field)
{
    return (char *) (uintptr_t) event + offsetof(pr_event_t, hello) + field->offset;
}

pr_event_t
pr_event(pr_message_type_t type, pr_str_t poll)
{
    pr_event_t event;
    memset(&event, 0, sizeof event);
    event.type = type;
    event.number = type;
    event.poll = poll;
    const spec_t *spec = s_spec_of(type);
    PR_ASSERT(spec);
    for (size_t i = 0; i < spec->field_count; i++) {
        const field_t *field = &spec->fields[i];
        if (field->kind == KIND_INT || field->kind == KIND_BOOL) {
            *(int64_t *) s_place(&event, field) = PR_INT_NONE;
        }
    }
    return event;
}

static bool
s_is_absent(const field_t *field, const void *place)
{
    switch (field->kind) {
    case KIND_STR:
        return !((const pr_str_t *) place)->ptr;
    case KIND_INT:
    case KIND_BOOL:
        return *(const int64_t *) place == PR_INT_NONE;
    case KIND_ANY: {
        const pr_any_t *any = place;
        return !any->object && !any->raw.ptr;
    }
    }
    return true;
}

static void
s_pack_field(msgpack_packer *packer, const field_t *field, const void *place)
{
    switch (field->kind) {
    case KIND_STR:
        pr_pack_str(packer, *(const pr_str_t *) place);
        break;
    case KIND_INT:
        (void) msgpack_pack_int64(packer, *(const int64_t *) place);
        break;
    case KIND_BOOL:
        (void) (*(const int64_t *) place ? msgpack_pack_true(packer) : msgpack_pack_false(packer));
        break;
    case KIND_ANY: {
        const pr_any_t *any = place;
        if (any->object) {
            (void) msgpack_pack_object(packer, *any->object);
        } else {
            pr_buf_append_str(packer->data, any->raw);
        }
        break;
    }
    }
}

void
pr_event_pack(const pr_event_t *event, pr_buf_t *out)
{
    const spec_t *spec = s_spec_of(event->type);
    PR_ASSERT(spec);
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_array(&packer, 3);
    (void) msgpack_pack_int64(&packer, event->type);
    pr_pack_str(&packer, event->poll);

    size_t present = 0;
    for (size_t i = 0; i < spec->field_count; i++) {
        bool absent = s_is_absent(&spec->fields[i], s_place(event, &spec->fields[i]));
        PR_ASSERT(!absent || spec->fields[i].need == NEED_MAY);
        present += !absent;
    }
    (void) msgpack_pack_map(&packer, present);
    for (size_t i = 0; i < spec->field_count; i++) {
        const field_t *field = &spec->fields[i];
        const void *place = s_place(event, field);
        if (!s_is_absent(field, place)) {
            pr_pack_str(&packer, pr_str(field->wire));
            s_pack_field(&packer, field, place);
        }
    }
}

/* Takes one member's value; false if it has another type or is too long. */
static bool
s_take(const field_t *field, const msgpack_object *value, void *place)
{
    switch (field->kind) {
    case KIND_STR:
        *(pr_str_t *) place = pr_object_str(value);
        return value->type == MSGPACK_OBJECT_STR && value->via.str.size <= PR_FIELD_BYTES_MAX;
    case KIND_INT:
        return pr_object_int(value, place);
    case KIND_BOOL:
        *(int64_t *) place = value->type == MSGPACK_OBJECT_BOOLEAN && value->via.boolean;
        return value->type == MSGPACK_OBJECT_BOOLEAN;
    case KIND_ANY:
        ((pr_any_t *) place)->object = value;
        return true;
    }
    return false;
}

int
pr_event_unpack(pr_str_t part, pr_unpacked_t *memory, pr_event_t *event)
{
    const msgpack_object *root;
    int error = pr_value_unpack(part, memory, &root);
    if (error) {
        return error;
    }
    if (root->type != MSGPACK_OBJECT_ARRAY || root->via.array.size != 3) {
        return PR_E_MALFORMED;
    }
    const msgpack_object *items = root->via.array.ptr;
    int64_t type;
    if (!pr_object_int(&items[0], &type) || items[1].type != MSGPACK_OBJECT_STR ||
        items[2].type != MSGPACK_OBJECT_MAP || items[1].via.str.size > PR_FIELD_BYTES_MAX) {
        return PR_E_MALFORMED;
    }
    const spec_t *spec = s_spec_of(type);
    if (!spec) {
        memset(event, 0, sizeof *event);
        event->number = type;
        event->poll = pr_object_str(&items[1]);
        return PR_E_UNKNOWN_TYPE;
    }
    *event = pr_event(spec->type, pr_object_str(&items[1]));
    for (size_t i = 0; i < spec->field_count; i++) {
        const field_t *field = &spec->fields[i];
        const msgpack_object *value = pr_object_member(&items[2], pr_str(field->wire));
        /* nil stands for nothing, but is a value where any value will do and one has to be. */
        bool nil_counts = field->need == NEED_MUST && field->kind == KIND_ANY;
        bool absent = !value || (value->type == MSGPACK_OBJECT_NIL && !nil_counts);
        if (absent ? field->need == NEED_MUST : !s_take(field, value, s_place(event, field))) {
            return PR_E_BAD_FIELD;
        }
    }
    return 0;
}

void
pr_header_pack(const pr_header_t *header, pr_buf_t *out)
{
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_array(&packer, 6);
    (void) msgpack_pack_int64(&packer, header->proto);
    pr_pack_str(&packer, header->from_inc);
    pr_pack_str(&packer, header->to_inc);
    (void) msgpack_pack_int64(&packer, header->seq);
    (void) msgpack_pack_int64(&packer, header->consumed_bytes);
    (void) msgpack_pack_int64(&packer, header->consumed_messages);
}

int
pr_header_unpack(pr_str_t part, pr_unpacked_t *memory, pr_header_t *header)
{
    const msgpack_object *root;
    int error = pr_value_unpack(part, memory, &root);
    if (error) {
        return error;
    }
    /* More members may come in a later version; these six stay. */
    if (root->type != MSGPACK_OBJECT_ARRAY || root->via.array.size < 6) {
        return PR_E_MALFORMED;
    }
    const msgpack_object *items = root->via.array.ptr;
    header->from_inc = pr_object_str(&items[1]);
    header->to_inc = pr_object_str(&items[2]);
    bool sound = pr_object_int(&items[0], &header->proto) && header->from_inc.ptr &&
                 header->from_inc.len <= PR_INCARNATION_LEN && header->to_inc.ptr &&
                 header->to_inc.len <= PR_INCARNATION_LEN &&
                 pr_object_int(&items[3], &header->seq) && header->seq >= 0 &&
                 pr_object_int(&items[4], &header->consumed_bytes) && header->consumed_bytes >= 0 &&
                 pr_object_int(&items[5], &header->consumed_messages) &&
                 header->consumed_messages >= 0;
    return sound ? 0 : PR_E_MALFORMED;
}
