/* SPDX-License-Identifier: MIT */

#include "gateway/form.h"

#include "proto/base/buffer.h"
#include "proto/base/utf8.h"

static int
s_hex(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char low = (char) (digit | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* Appends `text` without its escapes; a broken escape stays as it is. */
static void
s_decode(pr_str_t text, pr_buf_t *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%' && text.len - i > 2) {
            int high = s_hex(text.ptr[i + 1]);
            int low = s_hex(text.ptr[i + 2]);
            if (high >= 0 && low >= 0) {
                byte = (char) (high * 16 + low);
                i += 2;
            }
        }
        pr_buf_append_byte(out, byte);
    }
}

/* The decoded text in `out`, which is emptied first. */
static pr_str_t
s_text(pr_str_t escaped, pr_buf_t *out)
{
    pr_buf_clear(out);
    s_decode(escaped, out);
    return pr_utf8_is_valid(pr_buf_str(out)) ? pr_buf_str(out) : PR_STR("\xef\xbf\xbd");
}

static void
s_add(json_t *form, pr_str_t name, pr_str_t value)
{
    const char *bracket = name.len ? memchr(name.ptr, '[', name.len) : NULL;
    size_t len = bracket ? (size_t) (bracket - name.ptr) : name.len;
    char key[64];
    if (len == 0 || len >= sizeof key || memchr(name.ptr, '\0', len)) {
        return; /* not one that anybody asks for */
    }
    memcpy(key, name.ptr, len);
    key[len] = '\0';
    bool is_text = !bracket && !json_object_get(form, key);
    json_t *field = is_text ? json_stringn(value.ptr, value.len) : json_array();
    (void) json_object_set_new(form, key, field);
}

/* Cuts off what stands before `mark`, or all of it. */
static pr_str_t
s_cut(pr_str_t *rest, char mark)
{
    const char *at = rest->len ? memchr(rest->ptr, mark, rest->len) : NULL;
    pr_str_t head = {rest->ptr, at ? (size_t) (at - rest->ptr) : rest->len};
    size_t used = at ? head.len + 1 : head.len;
    rest->ptr += used;
    rest->len -= used;
    return head;
}

json_t *
gw_form_parse(pr_str_t body)
{
    json_t *form = json_object();
    pr_buf_t *name = pr_buf_new(64);
    pr_buf_t *value = pr_buf_new(64);
    if (!form || !name || !value) {
        json_decref(form);
        form = NULL;
    }
    for (size_t i = 0; form && body.len && i < GW_FORM_FIELDS_MAX; i++) {
        pr_str_t field = s_cut(&body, '&');
        pr_str_t key = s_cut(&field, '=');
        s_add(form, s_text(key, name), s_text(field, value));
    }
    pr_buf_destroy(&name);
    pr_buf_destroy(&value);
    return form;
}
