/* SPDX-License-Identifier: MIT */

#include "proto/wire/json.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "proto/base/utf8.h"
#include "proto/wire/limits.h"

/* The shortest decimal text that reads back as the same double, as JavaScript prints it for the
 * magnitudes we have. JSON has no infinities: null. */
static void
s_write_double(double number, pr_buf_t *out)
{
    if (!isfinite(number)) {
        pr_buf_append(out, "null", 4);
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void) snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    pr_buf_append_str(out, pr_str(text));
}

static void
s_write_binary(pr_str_t bytes, pr_buf_t *out)
{
    pr_buf_append_byte(out, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        pr_buf_append_fmt(out, "%02x", (unsigned char) bytes.ptr[i]);
    }
    pr_buf_append_byte(out, '"');
}

static void
s_write_text(pr_str_t text, pr_buf_t *out)
{
    if (pr_utf8_is_valid(text)) {
        pr_buf_append_json(out, text);
    } else {
        s_write_binary(text, out);
    }
}

/* Recursion is bounded: decoded values are at most PR_MSGPACK_DEPTH_MAX deep. */
static void
s_write_array(const msgpack_object_array *array, pr_buf_t *out)
{
    pr_buf_append_byte(out, '[');
    for (uint32_t i = 0; i < array->size; i++) {
        if (i) {
            pr_buf_append_byte(out, ',');
        }
        pr_object_write_json(&array->ptr[i], out);
    }
    pr_buf_append_byte(out, ']');
}

static void
s_write_map(const msgpack_object_map *map, pr_buf_t *out)
{
    pr_buf_append_byte(out, '{');
    for (uint32_t i = 0; i < map->size; i++) {
        if (i) {
            pr_buf_append_byte(out, ',');
        }
        pr_str_t key = pr_object_str(&map->ptr[i].key);
        s_write_text(key.ptr ? key : PR_STR("?"), out);
        pr_buf_append_byte(out, ':');
        pr_object_write_json(&map->ptr[i].val, out);
    }
    pr_buf_append_byte(out, '}');
}

void
pr_object_write_json(const msgpack_object *object, pr_buf_t *out)
{
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        pr_buf_append(out, "null", 4);
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        pr_buf_append_str(out, object->via.boolean ? PR_STR("true") : PR_STR("false"));
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        pr_buf_append_fmt(out, "%llu", (unsigned long long) object->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        pr_buf_append_int(out, object->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        s_write_double(object->via.f64, out);
        break;
    case MSGPACK_OBJECT_STR:
        s_write_text(pr_object_str(object), out);
        break;
    case MSGPACK_OBJECT_ARRAY:
        s_write_array(&object->via.array, out);
        break;
    case MSGPACK_OBJECT_MAP:
        s_write_map(&object->via.map, out);
        break;
    case MSGPACK_OBJECT_BIN:
        s_write_binary((pr_str_t) {object->via.bin.ptr, object->via.bin.size}, out);
        break;
    case MSGPACK_OBJECT_EXT:
        s_write_binary((pr_str_t) {object->via.ext.ptr, object->via.ext.size}, out);
        break;
    }
}

/* Arrays and objects in each other; past `depth` of them: nil. */
static void
s_pack_json(msgpack_packer *packer, const json_t *value, int depth);

static void
s_pack_object(msgpack_packer *packer, const json_t *object, int depth)
{
    json_t *borrowed = (json_t *) (uintptr_t) object; /* jansson's iterators take no const */
    (void) msgpack_pack_map(packer, json_object_size(object));
    for (void *at = json_object_iter(borrowed); at; at = json_object_iter_next(borrowed, at)) {
        pr_pack_str(packer, pr_str(json_object_iter_key(at)));
        s_pack_json(packer, json_object_iter_value(at), depth);
    }
}

static void
s_pack_json(msgpack_packer *packer, const json_t *value, int depth)
{
    bool is_container = json_is_object(value) || json_is_array(value);
    if (is_container && depth-- == 0) {
        (void) msgpack_pack_nil(packer);
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        s_pack_object(packer, value, depth);
        break;
    case JSON_ARRAY:
        (void) msgpack_pack_array(packer, json_array_size(value));
        for (size_t i = 0; i < json_array_size(value); i++) {
            s_pack_json(packer, json_array_get(value, i), depth);
        }
        break;
    case JSON_STRING:
        pr_pack_str(packer, (pr_str_t) {json_string_value(value), json_string_length(value)});
        break;
    case JSON_INTEGER:
        (void) msgpack_pack_int64(packer, json_integer_value(value));
        break;
    case JSON_REAL:
        (void) msgpack_pack_double(packer, json_real_value(value));
        break;
    case JSON_TRUE:
        (void) msgpack_pack_true(packer);
        break;
    case JSON_FALSE:
        (void) msgpack_pack_false(packer);
        break;
    case JSON_NULL:
        (void) msgpack_pack_nil(packer);
        break;
    }
}

void
pr_json_pack(const json_t *value, int depth, pr_buf_t *out)
{
    msgpack_packer packer = pr_packer(out);
    s_pack_json(&packer, value, depth);
}

int
pr_json_to_msgpack(pr_str_t json, pr_buf_t *out)
{
    json_t *value = json_loadb(json.ptr, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!value) {
        return PR_E_MALFORMED;
    }
    pr_json_pack(value, INT_MAX, out);
    json_decref(value);
    return pr_buf_failed(out) ? PR_E_NOMEM : 0;
}

void
pr_event_write_json(const pr_event_t *event, pr_buf_t *out)
{
    pr_buf_append_fmt(out, "{\"type\":\"%s\",\"poll\":", pr_message_name(event->type));
    s_write_text(event->poll, out);

    /* By way of its own encoding, so that no message needs code here. */
    pr_buf_t *packed = pr_buf_new(256);
    pr_unpacked_t *memory = pr_unpacked_new();
    const msgpack_object *root;
    if (packed && memory) {
        pr_event_pack(event, packed);
        if (pr_value_unpack(pr_buf_str(packed), memory, &root) == 0) {
            const msgpack_object_map *body = &root->via.array.ptr[2].via.map;
            for (uint32_t i = 0; i < body->size; i++) {
                pr_buf_append_byte(out, ',');
                s_write_text(pr_object_str(&body->ptr[i].key), out);
                pr_buf_append_byte(out, ':');
                pr_object_write_json(&body->ptr[i].val, out);
            }
        }
    }
    pr_buf_append_byte(out, '}');
    pr_buf_destroy(&packed);
    pr_unpacked_destroy(&memory);
}

static int
s_pack_event(json_t *json, pr_buf_t *out)
{
    json_t *type = json_object_get(json, "type");
    json_t *poll = json_object_get(json, "poll");
    json_int_t number = json_is_integer(type)
                            ? json_integer_value(type)
                            : pr_message_type_from_name(pr_str(json_string_value(type)));
    if (number <= 0 || (poll && !json_is_string(poll))) {
        return PR_E_MALFORMED;
    }
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_array(&packer, 3);
    (void) msgpack_pack_int64(&packer, number);
    pr_pack_str(&packer, pr_str(poll ? json_string_value(poll) : ""));
    (void) json_object_del(json, "type");
    (void) json_object_del(json, "poll");
    s_pack_json(&packer, json, INT_MAX);
    return pr_buf_failed(out) ? PR_E_NOMEM : 0;
}

int
pr_event_pack_json(pr_str_t json, pr_buf_t *out)
{
    json_t *value = json_loadb(json.ptr, json.len, JSON_ALLOW_NUL, NULL);
    int error = json_is_object(value) ? s_pack_event(value, out) : PR_E_MALFORMED;
    json_decref(value);
    return error;
}
