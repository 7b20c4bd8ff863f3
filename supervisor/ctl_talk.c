/* SPDX-License-Identifier: MIT */

#include "supervisor/ctl_talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/zsock.h"
#include "proto/wire/error.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "supervisor/ctl_link.h"
#include "supervisor/supervisor.h"

#define SEND_WAIT_MS 1000
/* In place of for ever. */
#define LONG_MS (INT64_C(365) * 86400000)

typedef struct {
    int64_t printed;
    int64_t wanted; /* -1: as many as come */
    pr_buf_t *line;
    pr_unpacked_t *memory;
} printer_t;

static bool
s_is_done(void *arg)
{
    const printer_t *self = arg;
    return self->wanted >= 0 && self->printed >= self->wanted;
}

static void
s_print(void *arg, const pr_event_t *event)
{
    printer_t *self = arg;
    if (s_is_done(self)) {
        return;
    }
    pr_buf_clear(self->line);
    pr_event_write_json(event, self->line);
    pr_buf_append_byte(self->line, '\n');
    if (!pr_buf_failed(self->line)) {
        (void) fwrite(pr_buf_data(self->line), 1, pr_buf_len(self->line), stdout);
        (void) fflush(stdout);
        self->printed++;
    }
}

static bool
s_open_printer(printer_t *self, const sv_ctl_options_t *options)
{
    *self = (printer_t) {.wanted = options->count};
    self->line = pr_buf_new(0);
    self->memory = pr_unpacked_new();
    return self->line && self->memory;
}

/* What was asked for and did not come is a failure; so scripts need not count lines. */
static int
s_close_printer(printer_t *self, int code)
{
    if (code == SV_EXIT_OK && self->wanted >= 0 && self->printed < self->wanted) {
        (void) fprintf(stderr, "rollcallctl: %" PRId64 " of %" PRId64 " events came\n",
                       self->printed, self->wanted);
        code = SV_EXIT_ENVIRONMENT;
    }
    pr_buf_destroy(&self->line);
    pr_unpacked_destroy(&self->memory);
    return code;
}

static void
s_listen(const sv_ctl_talk_t *self, printer_t *printer, int64_t default_ms)
{
    int64_t wait_ms = self->options->wait_ms >= 0 ? self->options->wait_ms : default_ms;
    (void) pr_loop_run_until(self->loop, s_is_done, printer, wait_ms);
}

static int
s_send_all(sv_ctl_link_t *link, char **events, int count)
{
    pr_buf_t *packed = pr_buf_new(0);
    int error = packed ? 0 : PR_E_NOMEM;
    for (int i = 0; i < count && error == 0; i++) {
        pr_buf_clear(packed);
        error = pr_event_pack_json(pr_str(events[i]), packed);
        if (error == 0) {
            error = sv_ctl_link_send(link, pr_buf_str(packed));
        }
        if (error != 0) {
            (void) fprintf(stderr, "rollcallctl: event %d: %s\n", i + 1, pr_error_text(error));
        }
    }
    pr_buf_destroy(&packed);
    return error;
}

/* Wrong JSON is told before anything is sent. */
static bool
s_check_all(char **events, int count)
{
    pr_buf_t *packed = pr_buf_new(0);
    bool good = packed != NULL;
    for (int i = 0; i < count && good; i++) {
        pr_buf_clear(packed);
        good = pr_event_pack_json(pr_str(events[i]), packed) == 0;
        if (!good) {
            (void) fprintf(stderr, "rollcallctl: event %d is no JSON object with a known type\n",
                           i + 1);
        }
    }
    pr_buf_destroy(&packed);
    return good;
}

int
sv_ctl_talk_send(const sv_ctl_talk_t *self, const char *endpoint, char **events, int count)
{
    if (!s_check_all(events, count)) {
        return SV_EXIT_USAGE;
    }
    printer_t printer;
    int code = SV_EXIT_ENVIRONMENT;
    int error = PR_E_NOMEM;
    sv_ctl_link_t *link = NULL;
    if (s_open_printer(&printer, self->options)) {
        link = sv_ctl_link_new(self->loop, endpoint, self->options->timeout_ms, s_print, &printer,
                               &error);
    }
    if (!link) {
        (void) fprintf(stderr, "rollcallctl: %s: %s\n", endpoint, pr_error_text(error));
    } else if (s_send_all(link, events, count) == 0) {
        s_listen(self, &printer, SEND_WAIT_MS);
        code = SV_EXIT_OK;
        if (!sv_ctl_link_is_open(link) && !s_is_done(&printer)) {
            (void) fprintf(stderr, "rollcallctl: the link was closed\n");
            code = SV_EXIT_ENVIRONMENT;
        }
    }
    sv_ctl_link_destroy(&link);
    return s_close_printer(&printer, code);
}

/* --- PUB --- */

static void
s_receive(void *arg, const pr_str_t *parts, size_t count)
{
    printer_t *self = arg;
    pr_event_t event;
    if (count == 2 && pr_event_unpack(parts[1], self->memory, &event) == 0) {
        s_print(self, &event);
    }
}

int
sv_ctl_talk_watch(const sv_ctl_talk_t *self,
                  const char *const *endpoints,
                  size_t count,
                  const char *topic)
{
    printer_t printer;
    int code = SV_EXIT_OK;
    pr_zsock_t *sub = NULL;
    if (s_open_printer(&printer, self->options)) {
        sub = pr_zsock_new(self->loop, PR_ZSOCK_SUB, NULL, s_receive, &printer);
    }
    if (!sub || pr_zsock_subscribe(sub, pr_str(topic)) != 0) {
        code = SV_EXIT_ENVIRONMENT;
    }
    for (size_t i = 0; i < count && code == SV_EXIT_OK; i++) {
        if (pr_zsock_connect(sub, endpoints[i]) != 0) {
            code = SV_EXIT_ENVIRONMENT;
        }
    }
    if (code == SV_EXIT_OK) {
        s_listen(self, &printer, LONG_MS);
    } else {
        (void) fprintf(stderr, "rollcallctl: can not listen\n");
    }
    pr_zsock_destroy(&sub);
    return s_close_printer(&printer, code);
}
