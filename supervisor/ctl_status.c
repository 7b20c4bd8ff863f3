/* SPDX-License-Identifier: MIT */

#include "supervisor/ctl_status.h"

#include <inttypes.h>

pr_str_t
sv_ctl_status_text(const msgpack_object *map, const char *key)
{
    const msgpack_object *found = pr_object_member(map, pr_str(key));
    pr_str_t text = found ? pr_object_str(found) : PR_STR_NONE;
    return text.ptr ? text : PR_STR("");
}

static int64_t
s_number(const msgpack_object *map, const char *key)
{
    int64_t number = -1;
    const msgpack_object *found = pr_object_member(map, pr_str(key));
    return found && pr_object_int(found, &number) ? number : -1;
}

const msgpack_object_array *
sv_ctl_status_children(const msgpack_object *status)
{
    const msgpack_object *children = pr_object_member(status, PR_STR("children"));
    return children && children->type == MSGPACK_OBJECT_ARRAY ? &children->via.array : NULL;
}

const msgpack_object *
sv_ctl_status_child(const msgpack_object *status, const char *name)
{
    const msgpack_object_array *children = sv_ctl_status_children(status);
    for (uint32_t i = 0; children && i < children->size; i++) {
        if (pr_str_equal(sv_ctl_status_text(&children->ptr[i], "name"), pr_str(name))) {
            return &children->ptr[i];
        }
    }
    return NULL;
}

/* Bytes of a text from another process, without what a terminal would act upon. */
static void
s_print(FILE *out, pr_str_t text, int width)
{
    int done = 0;
    for (size_t i = 0; i < text.len; i++, done++) {
        unsigned char c = (unsigned char) text.ptr[i];
        (void) fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
    }
    for (; done < width; done++) {
        (void) fputc(' ', out);
    }
}

static void
s_print_number(FILE *out, int64_t number, int width)
{
    if (number < 0) {
        (void) fprintf(out, "%*s  ", width, "-");
    } else {
        (void) fprintf(out, "%*" PRId64 "  ", width, number);
    }
}

static void
s_print_row(const msgpack_object *child, FILE *out)
{
    s_print(out, sv_ctl_status_text(child, "name"), 7);
    s_print(out, sv_ctl_status_text(child, "role"), 9);
    s_print(out, sv_ctl_status_text(child, "state"), 10);
    int64_t pid = s_number(child, "pid");
    s_print_number(out, pid > 0 ? pid : -1, 8);
    s_print_number(out, s_number(child, "restarts"), 8);
    s_print_number(out, s_number(child, "ready_ms"), 8);
    s_print(out, sv_ctl_status_text(child, "exit"), 22);
    s_print(out, sv_ctl_status_text(child, "endpoint"), 0);
    (void) fputc('\n', out);
}

static void
s_print_quarantined(const msgpack_object *status, FILE *out)
{
    const msgpack_object *polls = pr_object_member(status, PR_STR("quarantined"));
    bool is_list = polls && polls->type == MSGPACK_OBJECT_ARRAY;
    for (uint32_t i = 0; is_list && i < polls->via.array.size; i++) {
        (void) fputs("Poll in quarantine: ", out);
        s_print(out, pr_object_str(&polls->via.array.ptr[i]), 0);
        (void) fputc('\n', out);
    }
}

void
sv_ctl_status_print(const msgpack_object *status, FILE *out)
{
    (void) fputs("Rollcall is ", out);
    s_print(out, sv_ctl_status_text(status, "state"), 0);
    (void) fputs(": ", out);
    s_print(out, sv_ctl_status_text(status, "url"), 0);
    (void) fprintf(out, " (supervisor %" PRId64 ", roster %" PRId64 ")\n", s_number(status, "pid"),
                   s_number(status, "generation"));
    (void) fputs("NAME   ROLE     STATE          PID  RESTARTS  READY_MS  LAST EXIT             "
                 "ENDPOINT\n",
                 out);
    const msgpack_object_array *children = sv_ctl_status_children(status);
    for (uint32_t i = 0; children && i < children->size; i++) {
        s_print_row(&children->ptr[i], out);
    }
    s_print_quarantined(status, out);
}

void
sv_ctl_status_print_child(const msgpack_object *child, FILE *out)
{
    int64_t pid = s_number(child, "pid");
    s_print(out, sv_ctl_status_text(child, "name"), 0);
    (void) fputs(" is ", out);
    s_print(out, sv_ctl_status_text(child, "state"), 0);
    if (pid > 0) {
        (void) fprintf(out, ", process %" PRId64, pid);
    }
    (void) fputc('\n', out);
}
