/* SPDX-License-Identifier: MIT */

#include "gateway/ws_pass.h"

#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <libwebsockets.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/engineio_sid.h"
#include "gateway/ws.h"
#include "proto/poll/ids.h"
#include "proto/wire/limits.h"

/* What an upgrade may say that somebody looks at; `custom` is for those that libwebsockets has no
 * number for. */
static const struct {
    const char *name;
    enum lws_token_indexes token;
    const char *custom;
} s_headers[] = {
    {.name = "Host", .token = WSI_TOKEN_HOST},
    {.name = "Upgrade", .token = WSI_TOKEN_UPGRADE},
    {.name = "Connection", .token = WSI_TOKEN_CONNECTION},
    {.name = "Origin", .token = WSI_TOKEN_ORIGIN},
    {.name = "Sec-WebSocket-Key", .token = WSI_TOKEN_KEY},
    {.name = "Sec-WebSocket-Version", .token = WSI_TOKEN_VERSION},
    {.name = "Sec-WebSocket-Protocol", .token = WSI_TOKEN_PROTOCOL},
    {.name = "token", .custom = "token:"},
};

static void
s_add_header(struct lws *wsi, size_t index, pr_buf_t *out)
{
    const char *custom = s_headers[index].custom;
    int name_len = custom ? (int) strlen(custom) : 0;
    int len = custom ? lws_hdr_custom_length(wsi, custom, name_len)
                     : lws_hdr_total_length(wsi, s_headers[index].token);
    if (len <= 0) {
        return;
    }
    char *value = malloc((size_t) len + 1);
    int got = -1;
    if (value) {
        got = custom ? lws_hdr_custom_copy(wsi, value, len + 1, custom, name_len)
                     : lws_hdr_copy(wsi, value, len + 1, s_headers[index].token);
    }
    if (got >= 0) {
        pr_buf_append_str(out, pr_str(s_headers[index].name));
        pr_buf_append_str(out, PR_STR(": "));
        pr_buf_append(out, value, (size_t) got);
        pr_buf_append_str(out, PR_STR("\r\n"));
    }
    free(value);
}

/* As it came, of what we understand. The sid has been found to be of another gateway, but not what
 * letters it is made of. */
static pr_buf_t *
s_head(struct lws *wsi, pr_str_t path, pr_str_t sid)
{
    pr_buf_t *out = pr_buf_new(512);
    if (!out) {
        return NULL;
    }
    pr_buf_append_str(out, PR_STR("GET "));
    pr_buf_append_str(out, path);
    pr_buf_append_str(out, PR_STR("?EIO=4&transport=websocket&sid="));
    pr_buf_append_str(out, sid);
    pr_buf_append_str(out, PR_STR(" HTTP/1.1\r\n"));
    for (size_t i = 0; i < sizeof s_headers / sizeof s_headers[0]; i++) {
        s_add_header(wsi, i, out);
    }
    pr_buf_append_str(out, PR_STR("\r\n"));
    if (pr_buf_failed(out) || pr_buf_len(out) > PR_HANDOVER_HEAD_MAX) {
        pr_buf_destroy(&out);
    }
    return out;
}

/*
 * libwebsockets shuts down what it closes, and a shutdown reaches the connection through any
 * descriptor of it. And epoll watches a connection, not a number: it is to be taken out of it as
 * long as the number still means it. `dead` takes its place.
 */
static void
s_forget(int fd, struct uv_loop_s *loop, int dead)
{
    (void) epoll_ctl(uv_backend_fd(loop), EPOLL_CTL_DEL, fd, NULL);
    (void) dup3(dead, fd, O_CLOEXEC);
}

bool
gw_ws_pass(struct lws *wsi, struct uv_loop_s *loop, gw_peer_t *peer, const gw_handshake_t *asked)
{
    const gw_ws_mount_t *mount = peer->mount;
    gw_handshake_t known = *asked;
    known.session = GW_REFUSAL_NONE;
    if (!mount->ops.pass || asked->session != GW_REFUSAL_SESSION || lws_is_ssl(wsi) ||
        gw_refusal_check(&known) != GW_REFUSAL_NONE || !pr_id_is_word(asked->sid, GW_SID_MAX)) {
        return false;
    }
    int fd = lws_get_socket_fd(wsi);
    int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    pr_buf_t *head = dead >= 0 ? s_head(wsi, mount->path, asked->sid) : NULL;
    bool passed =
        head && mount->ops.pass(mount->arg, asked->sid, fd, &peer->address, pr_buf_str(head)) == 0;
    if (passed) {
        gw_http_let_go(peer, fd);
        s_forget(fd, loop, dead);
    }
    pr_buf_destroy(&head);
    if (dead >= 0) {
        (void) close(dead);
    }
    return passed;
}
