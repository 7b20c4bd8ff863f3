/* SPDX-License-Identifier: MIT */

#include "gateway/native_parse.h"

#include "proto/wire/value.h"

/* --- msgpack as a value of jansson's; NULL for what JSON has not --- */

static json_t *
s_from(const msgpack_object *value);

static json_t *
s_from_array(const msgpack_object_array *array)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < array->size; i++) {
        /* Takes the value over, and refuses NULL. */
        if (json_array_append_new(list, s_from(&array->ptr[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *
s_from_map(const msgpack_object_map *map)
{
    json_t *object = json_object();
    for (uint32_t i = 0; object && i < map->size; i++) {
        pr_str_t key = pr_object_str(&map->ptr[i].key);
        /* As in JSON, where jansson takes no such name either. */
        bool is_name = key.ptr && !memchr(key.ptr, '\0', key.len);
        json_t *value = is_name ? s_from(&map->ptr[i].val) : NULL;
        if (!value || json_object_setn_new(object, key.ptr, key.len, value) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

static json_t *
s_from_unsigned(uint64_t number)
{
    return number <= INT64_MAX ? json_integer((json_int_t) number) : json_real((double) number);
}

/* Recursion is bounded: decoded values are at most PR_MSGPACK_DEPTH_MAX deep. */
static json_t *
s_from(const msgpack_object *value)
{
    switch ((int) value->type) {
    case MSGPACK_OBJECT_NIL:
        return json_null();
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(value->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return s_from_unsigned(value->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer(value->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return json_real(value->via.f64); /* NULL unless it is finite */
    case MSGPACK_OBJECT_STR:
        return json_stringn(value->via.str.ptr ? value->via.str.ptr : "", value->via.str.size);
    case MSGPACK_OBJECT_ARRAY:
        return s_from_array(&value->via.array);
    case MSGPACK_OBJECT_MAP:
        return s_from_map(&value->via.map);
    default: /* binary, extensions */
        return NULL;
    }
}

static json_t *
s_load_msgpack(pr_str_t bytes)
{
    const msgpack_object *value = NULL;
    pr_unpacked_t *memory = pr_unpacked_new();
    json_t *root = NULL;
    if (memory && pr_value_unpack(bytes, memory, &value) == 0) {
        root = s_from(value);
    }
    pr_unpacked_destroy(&memory);
    return root;
}

static json_t *
s_load_json(pr_str_t text)
{
    json_error_t why;
    json_t *root = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, &why);
    if (!root && json_error_code(&why) == json_error_numeric_overflow) {
        /* JavaScript has no large integers either, and reads them as numbers. */
        root = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    }
    return root;
}

/* --- frames --- */

static int
s_take_id(const json_t *value, gw_native_id_t *id)
{
    if (!value) {
        return 0;
    }
    if (json_is_integer(value)) {
        id->kind = GW_NATIVE_ID_NUMBER;
        id->number = json_integer_value(value);
        return 0;
    }
    if (!json_is_string(value) || json_string_length(value) > sizeof id->text) {
        return PR_E_MALFORMED;
    }
    id->kind = GW_NATIVE_ID_TEXT;
    id->len = (uint32_t) json_string_length(value);
    memcpy(id->text, json_string_value(value), id->len);
    return 0;
}

int
gw_native_parse(gw_native_encoding_t encoding, pr_str_t bytes, gw_native_frame_t *frame)
{
    *frame = (gw_native_frame_t) {.event = PR_STR_NONE};
    if (bytes.len == 0) {
        return PR_E_MALFORMED;
    }
    frame->root = encoding == GW_NATIVE_MSGPACK ? s_load_msgpack(bytes) : s_load_json(bytes);
    const json_t *event = json_object_get(frame->root, "event");
    if (!json_is_string(event)) {
        return PR_E_MALFORMED;
    }
    frame->event = (pr_str_t) {json_string_value(event), json_string_length(event)};
    frame->data = json_object_get(frame->root, "data");
    return s_take_id(json_object_get(frame->root, "id"), &frame->id);
}

void
gw_native_clear(gw_native_frame_t *frame)
{
    json_decref(frame->root);
    *frame = (gw_native_frame_t) {.event = PR_STR_NONE};
}
