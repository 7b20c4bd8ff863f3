/* SPDX-License-Identifier: MIT */

#include "gateway/socketio.h"

#include "proto/wire/error.h"

#define ACK_DIGITS_MAX 15

static const char *const s_reserved[] = {
    "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
};

/* What is left to read. */
typedef struct {
    const char *at;
    const char *end;
} cursor_t;

static bool
s_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The number at the cursor. -1: no digit there; -2: more than `digits` of them. */
static int64_t
s_number(cursor_t *cursor, int digits)
{
    int64_t number = 0;
    int count = 0;
    for (; cursor->at < cursor->end && s_is_digit(*cursor->at); cursor->at++) {
        if (++count > digits) {
            return -2;
        }
        number = number * 10 + (*cursor->at - '0');
    }
    return count ? number : -1;
}

static int
s_parse_type(cursor_t *cursor, gw_sio_packet_t *packet)
{
    if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '6') {
        return PR_E_MALFORMED;
    }
    packet->type = (gw_sio_type_t) (*cursor->at++ - '0');
    if (packet->type != GW_SIO_BINARY_EVENT && packet->type != GW_SIO_BINARY_ACK) {
        return 0;
    }
    int64_t count = s_number(cursor, 2);
    if (count < 1 || count > GW_SIO_ATTACHMENTS_MAX || cursor->at == cursor->end ||
        *cursor->at != '-') {
        return PR_E_MALFORMED;
    }
    cursor->at++;
    packet->attachments = (int) count;
    return 0;
}

/* A namespace ends at the comma, or at the end of the text. A query is a part of the name. */
static void
s_parse_namespace(cursor_t *cursor, gw_sio_packet_t *packet)
{
    packet->nsp = PR_STR("/");
    if (cursor->at == cursor->end || *cursor->at != '/') {
        return;
    }
    size_t left = (size_t) (cursor->end - cursor->at);
    const char *comma = memchr(cursor->at, ',', left);
    size_t len = comma ? (size_t) (comma - cursor->at) : left;
    packet->nsp = (pr_str_t) {cursor->at, len};
    cursor->at += comma ? len + 1 : len;
}

static int
s_parse_ack(cursor_t *cursor, gw_sio_packet_t *packet)
{
    int64_t ack = s_number(cursor, ACK_DIGITS_MAX);
    packet->ack = ack == -1 ? GW_SIO_ACK_NONE : ack;
    return ack == -2 ? PR_E_MALFORMED : 0;
}

static int
s_parse_json(cursor_t *cursor, gw_sio_packet_t *packet)
{
    if (cursor->at == cursor->end) {
        return 0;
    }
    /* No blank before it: an id may not hold one. Trailing garbage is an error of jansson's. */
    if (!strchr("[{\"", *cursor->at)) {
        return PR_E_MALFORMED;
    }
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    size_t len = (size_t) (cursor->end - cursor->at);
    json_error_t why;
    packet->data = json_loadb(cursor->at, len, flags, &why);
    if (!packet->data && json_error_code(&why) == json_error_numeric_overflow) {
        /* JavaScript has no large integers either, and reads them as numbers. */
        packet->data = json_loadb(cursor->at, len, flags | JSON_DECODE_INT_AS_REAL, NULL);
    }
    return packet->data ? 0 : PR_E_MALFORMED;
}

static bool
s_is_event_name(const json_t *name)
{
    if (json_is_number(name)) {
        return true;
    }
    if (!json_is_string(name)) {
        return false;
    }
    pr_str_t text = {json_string_value(name), json_string_length(name)};
    for (size_t i = 0; i < sizeof s_reserved / sizeof s_reserved[0]; i++) {
        if (pr_str_equal(text, pr_str(s_reserved[i]))) {
            return false;
        }
    }
    return true;
}

/* Whether a value that says that it stands for an attachment does stand for one. */
static bool
s_is_placeholder_sound(const json_t *value, int attachments)
{
    if (!json_is_true(json_object_get(value, "_placeholder"))) {
        return true;
    }
    const json_t *num = json_object_get(value, "num");
    return json_is_integer(num) && json_integer_value(num) >= 0 &&
           json_integer_value(num) < attachments;
}

/* The same of all values within. jansson has bounded their depth. */
static bool
s_are_placeholders_sound(json_t *value, int attachments)
{
    size_t index;
    json_t *item;
    const char *key;
    json_array_foreach(value, index, item)
    {
        if (!s_are_placeholders_sound(item, attachments)) {
            return false;
        }
    }
    json_object_foreach(value, key, item)
    {
        if (!s_are_placeholders_sound(item, attachments)) {
            return false;
        }
    }
    return s_is_placeholder_sound(value, attachments);
}

/* Whether ack id and payload fit the type. */
static bool
s_is_sound(const gw_sio_packet_t *packet)
{
    const json_t *data = packet->data;
    bool has_ack = packet->ack != GW_SIO_ACK_NONE;
    switch (packet->type) {
    case GW_SIO_CONNECT:
        return !has_ack && (!data || json_is_object(data));
    case GW_SIO_DISCONNECT:
        return !has_ack && !data;
    case GW_SIO_EVENT:
    case GW_SIO_BINARY_EVENT:
        return json_is_array(data) && s_is_event_name(json_array_get(data, 0));
    case GW_SIO_ACK:
    case GW_SIO_BINARY_ACK:
        return has_ack && json_is_array(data);
    case GW_SIO_CONNECT_ERROR:
        return !has_ack && (json_is_object(data) || json_is_string(data));
    }
    return false;
}

int
gw_sio_parse(pr_str_t text, gw_sio_packet_t *packet)
{
    *packet = (gw_sio_packet_t) {.ack = GW_SIO_ACK_NONE};
    if (text.len == 0) {
        return PR_E_MALFORMED;
    }
    cursor_t cursor = {text.ptr, text.ptr + text.len};
    int error = s_parse_type(&cursor, packet);
    if (error == 0) {
        s_parse_namespace(&cursor, packet);
        error = s_parse_ack(&cursor, packet);
    }
    if (error == 0) {
        error = s_parse_json(&cursor, packet);
    }
    if (error == 0 && !s_is_sound(packet)) {
        error = PR_E_MALFORMED;
    }
    if (error == 0 && packet->attachments > 0 &&
        !s_are_placeholders_sound(packet->data, packet->attachments)) {
        error = PR_E_MALFORMED;
    }
    if (error != 0) {
        gw_sio_clear(packet);
    }
    return error;
}

void
gw_sio_clear(gw_sio_packet_t *packet)
{
    json_decref(packet->data);
    packet->data = NULL;
    for (int i = 0; i < packet->attachments; i++) {
        pr_buf_destroy(&packet->attached[i]);
    }
}

pr_str_t
gw_sio_event_name(const gw_sio_packet_t *packet)
{
    const json_t *name = json_array_get(packet->data, 0);
    if (!json_is_string(name)) {
        return PR_STR_NONE;
    }
    return (pr_str_t) {json_string_value(name), json_string_length(name)};
}

size_t
gw_sio_event_args(const gw_sio_packet_t *packet)
{
    size_t items = json_array_size(packet->data);
    return items ? items - 1 : 0;
}

const json_t *
gw_sio_event_arg(const gw_sio_packet_t *packet, size_t index)
{
    return json_array_get(packet->data, index + 1);
}

/* What follows on the type and the count. */
static void
s_write_place(pr_buf_t *out, pr_str_t nsp, int64_t ack)
{
    if (!pr_str_equal(nsp, PR_STR("/"))) {
        pr_buf_append_str(out, nsp);
        pr_buf_append_byte(out, ',');
    }
    if (ack != GW_SIO_ACK_NONE) {
        pr_buf_append_int(out, ack);
    }
}

void
gw_sio_write_head(pr_buf_t *out, gw_sio_type_t type, pr_str_t nsp, int64_t ack)
{
    pr_buf_append_byte(out, (char) ('0' + (int) type));
    s_write_place(out, nsp, ack);
}

void
gw_sio_write_binary_head(
    pr_buf_t *out, gw_sio_type_t type, int attachments, pr_str_t nsp, int64_t ack)
{
    pr_buf_append_byte(out, (char) ('0' + (int) type));
    pr_buf_append_int(out, attachments);
    pr_buf_append_byte(out, '-');
    s_write_place(out, nsp, ack);
}
