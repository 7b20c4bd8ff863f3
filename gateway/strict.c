/* SPDX-License-Identifier: MIT */

#include "gateway/strict.h"

#include <string.h>

#include <sys/socket.h>

#include "proto/base/utf8.h"

#define CODE_PROTOCOL_ERROR 1002
#define CODE_NONE 1005
#define CODE_BAD_DATA 1007
#define CODE_TOO_LARGE 1009

static void
s_on_fault(void *arg, gw_fault_t fault)
{
    gw_socket_t *socket = arg;
    socket->fault = fault;
    if (fault.code == CODE_TOO_LARGE) {
        socket->faults->too_large++;
    } else {
        socket->faults->bad++;
    }
    gw_write_look_at(socket, pr_loop_now_ms(socket->writer->loop));
}

static uint64_t
s_frame_max(void *arg)
{
    const gw_socket_t *socket = arg;
    return socket->message_max;
}

void
gw_strict_begin(gw_socket_t *socket, gw_fault_counters_t *counters)
{
    socket->faults = counters;
    gw_tap_upgrade(&socket->peer->tap, s_on_fault, s_frame_max, socket);
}

void
gw_strict_written(const gw_socket_t *socket)
{
    bool idle = !socket->slow && !socket->frame && !socket->outbox.head;
    if (socket->closing && socket->fault.reason && idle) {
        (void) shutdown(socket->fd, SHUT_WR);
    }
}

void
gw_strict_look(gw_socket_t *socket)
{
    if (socket->fault.code) {
        gw_socket_close(socket, socket->fault.code, socket->fault.reason);
        socket->fault.code = 0;
        gw_strict_written(socket);
    }
}

int
gw_strict_answer_close(unsigned char *payload, size_t len, bool *changed)
{
    *changed = false;
    if (len < 2) {
        return CODE_NONE;
    }
    int code = payload[0] << 8 | payload[1];
    pr_str_t reason = {(const char *) payload + 2, len - 2};
    if (gw_framing_code_is_good(code) && pr_utf8_is_valid(reason)) {
        return code;
    }
    code = gw_framing_code_is_good(code) ? CODE_BAD_DATA : CODE_PROTOCOL_ERROR;
    payload[0] = (unsigned char) (code >> 8);
    payload[1] = (unsigned char) (code & 0xff);
    memset(payload + 2, ' ', len - 2);
    *changed = true;
    return code;
}
