/* SPDX-License-Identifier: MIT */

#include "gateway/strangers.h"

#include <sys/socket.h>

#include "gateway/peer.h"
#include "proto/base/log.h"

void
gw_strangers_init(gw_strangers_t *self, pr_loop_t *loop)
{
    self->loop = loop;
    self->ends.prev = &self->ends;
    self->ends.next = &self->ends;
}

void
gw_strangers_on_fewer(gw_strangers_t *self, void (*fewer)(void *arg), void *arg)
{
    self->fewer = fewer;
    self->fewer_arg = arg;
}

void
gw_strangers_add(gw_strangers_t *self, gw_stranger_t *stranger)
{
    if (stranger->all || stranger->is_evicted) {
        return;
    }
    stranger->all = self;
    stranger->since_ms = pr_loop_now_ms(self->loop);
    stranger->prev = self->ends.prev;
    stranger->next = &self->ends;
    stranger->prev->next = stranger;
    self->ends.prev = stranger;
    self->count++;
}

void
gw_strangers_remove(gw_stranger_t *stranger)
{
    if (stranger->all) {
        stranger->all->count--;
        stranger->all = NULL;
        stranger->prev->next = stranger->next;
        stranger->next->prev = stranger->prev;
    }
}

void
gw_strangers_know(gw_stranger_t *stranger)
{
    gw_strangers_t *all = stranger->all;
    gw_strangers_remove(stranger);
    if (all && all->fewer) {
        all->fewer(all->fewer_arg);
    }
}

bool
gw_strangers_have_old(const gw_strangers_t *self, int64_t ms)
{
    return self->count > 0 && pr_loop_now_ms(self->loop) - self->ends.next->since_ms >= ms;
}

/* Of HTTP the loop then reads the end, or is told of it while a request waits. */
static void
s_close(const gw_peer_t *peer)
{
    if (peer->socket) {
        gw_socket_kill(peer->socket);
    } else if (peer->tap.fd >= 0) {
        (void) shutdown(peer->tap.fd, SHUT_RDWR);
    }
}

bool
gw_strangers_evict(gw_strangers_t *self)
{
    if (self->count == 0) {
        return false;
    }
    gw_stranger_t *oldest = self->ends.next;
    gw_peer_t *peer = (gw_peer_t *) ((char *) oldest - offsetof(gw_peer_t, stranger));
    char address[GW_ADDRESS_TEXT_MAX];
    pr_log_warn("accept.stranger_evicted", "address=%s age_ms=%lld",
                gw_address_text(&peer->address, address),
                (long long) (pr_loop_now_ms(self->loop) - oldest->since_ms));
    gw_strangers_remove(oldest);
    oldest->is_evicted = true;
    s_close(peer);
    return true;
}
