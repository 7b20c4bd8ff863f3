/* SPDX-License-Identifier: MIT */

#include "gateway/reply.h"

#include <libwebsockets.h>
#include <sys/socket.h>

#include "gateway/head.h"
#include "gateway/peer.h"

/* Seconds that an answer may take to be read. */
#define ANSWER_S 60

/* Nonzero: the connection is of no more use. */
static int
s_send(gw_request_t *request)
{
    unsigned char *data = (unsigned char *) (uintptr_t) pr_buf_data(request->response);
    int written = lws_write(request->wsi, data, pr_buf_len(request->response), LWS_WRITE_HTTP);
    request->answered = true;
    pr_buf_destroy(&request->response);
    if (written < 0) {
        return -1;
    }
    request->delivered = !lws_partial_buffered(request->wsi);
    if (!request->delivered && !request->linger) {
        gw_http_guard(request);
    }
    lws_set_timeout(request->wsi, PENDING_TIMEOUT_HTTP_CONTENT, ANSWER_S);
    return 0;
}

/* The answer is out. Nonzero: close. */
static int
s_finish(gw_request_t *request)
{
    struct lws *wsi = request->wsi;
    gw_tap_t *tap = &request->peer->tap;
    request->delivered = true;
    gw_tap_hold(tap, false);
    if (request->linger) {
        (void) shutdown(lws_get_socket_fd(wsi), SHUT_WR);
        return 0; /* till the peer ends, or the timer */
    }
    if (request->close || tap->dropped || lws_http_transaction_completed(wsi)) {
        return -1;
    }
    /* Given a body that is buffered already, libwebsockets 4.1 and 4.3 never leave
     * lws_http_action(): a client that sends its next request before our answer loses the
     * connection. */
    return gw_head_is_more(wsi) ? -1 : 0;
}

int
gw_reply_write(gw_request_t *request)
{
    if (!request->response && !request->answered) {
        return 0;
    }
    if (!request->answered && s_send(request) != 0) {
        return -1;
    }
    if (lws_partial_buffered(request->wsi)) {
        (void) lws_callback_on_writable(request->wsi);
        return 0;
    }
    return s_finish(request);
}

/* Of a request that has waited, and could be written: reading is off, and so would be the writable
 * callback. On again, libwebsockets 4.3 reads first, and for bytes behind the request it closes the
 * connection, or forgets that callback. So the transaction ends before that, or the bytes do. */
static void
s_end_wait(gw_request_t *request)
{
    gw_peer_t *peer = request->peer;
    struct lws *wsi = request->wsi;
    bool goes_on = request->delivered && !request->close;
    if (goes_on && s_finish(request) == 0) {
        (void) lws_rx_flow_control(wsi, 1);
    } else if (peer->request) {
        if (request->delivered) {
            gw_tap_end(&peer->tap);
        } else {
            gw_tap_hold(&peer->tap, true);
        }
        gw_http_park(request, false);
        (void) lws_callback_on_writable(wsi);
    } else { /* its transaction has ended, and it is freed */
        gw_reply_kill(wsi);
    }
}

void
gw_reply_begin(gw_request_t *request)
{
    /* Of a request that has not waited, libwebsockets 4.3 closes the connection for bytes that it
     * has already, before it asks for the answer. */
    if ((request->parked || request->ahead) && s_send(request) != 0) {
        gw_reply_kill(request->wsi);
    } else if (request->parked) {
        s_end_wait(request);
    } else {
        gw_tap_hold(&request->peer->tap, true);
        (void) lws_callback_on_writable(request->wsi);
    }
}

void
gw_reply_kill(struct lws *wsi)
{
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
    /* It looks at its timers when it has seen to a connection. */
    (void) lws_callback_on_writable(wsi);
}
