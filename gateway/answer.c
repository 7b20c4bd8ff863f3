/* SPDX-License-Identifier: MIT */

#include "gateway/answer.h"

#include <stddef.h>

static const struct {
    int status;
    const char *reason;
} s_reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {411, "Length Required"},
    {413, "Payload Too Large"},
    {415, "Unsupported Media Type"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

const char *
gw_answer_reason(int status)
{
    for (size_t i = 0; i < sizeof s_reasons / sizeof s_reasons[0]; i++) {
        if (s_reasons[i].status == status) {
            return s_reasons[i].reason;
        }
    }
    return "Unknown";
}

pr_buf_t *
gw_answer_format(const gw_answer_t *answer)
{
    pr_buf_t *out = pr_buf_new(512 + answer->body.len);
    if (!out) {
        return NULL;
    }
    pr_buf_append_fmt(out, "HTTP/1.1 %d %s\r\n", answer->status, gw_answer_reason(answer->status));
    if (answer->content_type) {
        pr_buf_append_fmt(out, "Content-Type: %s\r\n", answer->content_type);
    }
    pr_buf_append_fmt(out, "Content-Length: %zu\r\n", answer->body.len);
    if (answer->origin.ptr) {
        pr_buf_append_str(out, PR_STR("Access-Control-Allow-Origin: "));
        pr_buf_append_str(out, answer->origin);
        pr_buf_append_str(out, PR_STR("\r\n"));
    }
    if (answer->headers) {
        pr_buf_append_str(out, pr_str(answer->headers));
    }
    pr_buf_append_str(out, answer->close
                               ? PR_STR("Connection: close\r\n\r\n")
                               : PR_STR("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n"));
    if (!answer->head) {
        pr_buf_append_str(out, answer->body);
    }
    if (pr_buf_failed(out)) {
        pr_buf_destroy(&out);
    }
    return out;
}

void
gw_answer_write_error(pr_buf_t *out, int status, const char *message, const char *error)
{
    pr_buf_append_fmt(out, "{\"statusCode\":%d,\"message\":", status);
    pr_buf_append_json(out, pr_str(message));
    if (error) {
        pr_buf_append_str(out, PR_STR(",\"error\":"));
        pr_buf_append_json(out, pr_str(error));
    }
    pr_buf_append_byte(out, '}');
}
