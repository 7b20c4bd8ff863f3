/* SPDX-License-Identifier: MIT */

/*
 * Packets of the Socket.IO protocol 5:  <type>[<count>-][<namespace>,][<ack id>][<json>]
 * Pure and bounded: text in, packet out, and back. What may come when is the session's business.
 */

#ifndef GW_SOCKETIO_H
#define GW_SOCKETIO_H

#include <stdint.h>

#include <jansson.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"

typedef enum {
    GW_SIO_CONNECT = 0,
    GW_SIO_DISCONNECT = 1,
    GW_SIO_EVENT = 2,
    GW_SIO_ACK = 3,
    GW_SIO_CONNECT_ERROR = 4,
    GW_SIO_BINARY_EVENT = 5,
    GW_SIO_BINARY_ACK = 6
} gw_sio_type_t;

#define GW_SIO_ACK_NONE (-1)
/* Attachments of one packet: more make it malformed. */
#define GW_SIO_ATTACHMENTS_MAX 10

typedef struct {
    gw_sio_type_t type;
    int attachments; /* binary types: 1 to 10 */
    pr_str_t nsp;    /* borrowed from the text; "/" if none was named */
    int64_t ack;     /* GW_SIO_ACK_NONE: none */
    /* CONNECT: an object or NULL; EVENT, ACK: an array; owned. Of a binary type it has
     * placeholders, {"_placeholder":true,"num":0}, each of them for one that there is. */
    json_t *data;
    pr_buf_t *attached[GW_SIO_ATTACHMENTS_MAX]; /* owned; NULL where it has not come yet */
} gw_sio_packet_t;

/* Reads one packet. 0, or PR_E_MALFORMED: then the sender is to be cut off. Clear it afterwards. */
PR_MUST_CHECK int
gw_sio_parse(pr_str_t text, gw_sio_packet_t *packet);
void
gw_sio_clear(gw_sio_packet_t *packet);

/* The name of an EVENT; absent if it is a number. Borrowed from the packet. */
pr_str_t
gw_sio_event_name(const gw_sio_packet_t *packet);
/* Its arguments: how many, and each (borrowed; NULL past the end). */
size_t
gw_sio_event_args(const gw_sio_packet_t *packet);
const json_t *
gw_sio_event_arg(const gw_sio_packet_t *packet, size_t index);

/* Appends everything of a packet that stands before its JSON. */
void
gw_sio_write_head(pr_buf_t *out, gw_sio_type_t type, pr_str_t nsp, int64_t ack);
/* The same of a binary one. */
void
gw_sio_write_binary_head(
    pr_buf_t *out, gw_sio_type_t type, int attachments, pr_str_t nsp, int64_t ack);

#endif
