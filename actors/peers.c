/* SPDX-License-Identifier: MIT */

#include "actors/peers.h"

#include <stdlib.h>
#include <string.h>

#include "actors/actor.h"
#include "proto/base/log.h"
#include "proto/base/map.h"
#include "proto/wire/error.h"

typedef struct last_words {
    struct last_words *next;
    size_t len;
    char bytes[];
} last_words_t;

typedef struct {
    uint32_t id;
    bool given_up;
    pr_peer_t *peer;
    pr_map_t *starved; /* poll -> ac_actor_t */
    last_words_t *first;
    last_words_t *last;
    size_t bytes;
} peer_t;

struct ac_peers {
    peer_t *list;
    size_t count;
    uint32_t next_id;
    uint64_t given_up;
};

ac_peers_t *
ac_peers_new(void)
{
    ac_peers_t *self = calloc(1, sizeof *self);
    if (self) {
        self->next_id = 1;
    }
    return self;
}

static void
s_forget_first(peer_t *peer)
{
    last_words_t *words = peer->first;
    peer->first = words->next;
    if (!peer->first) {
        peer->last = NULL;
    }
    peer->bytes -= words->len;
    free(words);
}

static void
s_fini(peer_t *peer)
{
    while (peer->first) {
        s_forget_first(peer);
    }
    pr_map_destroy(&peer->starved);
}

void
ac_peers_destroy(ac_peers_t **self_p)
{
    PR_ASSERT(self_p);
    ac_peers_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        s_fini(&self->list[i]);
    }
    free(self->list);
    free(self);
    *self_p = NULL;
}

static peer_t *
s_peer(const ac_peers_t *self, uint32_t id)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->list[i].id == id) {
            return &self->list[i];
        }
    }
    return NULL;
}

uint32_t
ac_peers_open(ac_peers_t *self, pr_peer_t *peer)
{
    peer_t *list = realloc(self->list, (self->count + 1) * sizeof *list);
    if (!list) {
        return 0;
    }
    self->list = list;
    peer_t *entry = &list[self->count];
    *entry = (peer_t) {.id = self->next_id, .peer = peer, .starved = pr_map_new(NULL)};
    if (!entry->starved) {
        return 0;
    }
    self->count++;
    self->next_id++;
    pr_peer_set_data(peer, (void *) (uintptr_t) entry->id);
    return entry->id;
}

void
ac_peers_close(ac_peers_t *self, uint32_t id)
{
    peer_t *peer = s_peer(self, id);
    if (peer) {
        pr_peer_set_data(peer->peer, NULL);
        s_fini(peer);
        self->count--;
        *peer = self->list[self->count];
    }
}

int
ac_peers_send(ac_peers_t *self, uint32_t id, pr_str_t packed)
{
    peer_t *peer = s_peer(self, id);
    if (!peer || peer->given_up) {
        return PR_E_UNREACHABLE;
    }
    if (peer->first) {
        return PR_E_BUSY;
    }
    int rc = pr_link_send_packed(pr_peer_link(peer->peer), packed);
    if (rc == PR_E_TOO_LARGE) {
        /* No document may get so big; whoever waits for it must not wait for ever. */
        pr_log_error("peers.too_large", "bytes=%zu", packed.len);
        peer->given_up = true;
        return PR_E_UNREACHABLE;
    }
    return rc == PR_E_NOMEM ? PR_E_BUSY : rc;
}

void
ac_peers_send_last(ac_peers_t *self, uint32_t id, pr_str_t packed)
{
    peer_t *peer = s_peer(self, id);
    if (!peer || peer->given_up || ac_peers_send(self, id, packed) != PR_E_BUSY) {
        return;
    }
    last_words_t *words = NULL;
    if (peer->bytes + packed.len <= PR_HELD_BYTES_MAX) {
        words = malloc(sizeof *words + packed.len);
    }
    if (!words) {
        ac_peers_give_up(self, id);
        return;
    }
    words->next = NULL;
    words->len = packed.len;
    memcpy(words->bytes, packed.ptr, packed.len);
    if (peer->last) {
        peer->last->next = words;
    } else {
        peer->first = words;
    }
    peer->last = words;
    peer->bytes += packed.len;
}

void
ac_peers_starved(ac_peers_t *self, uint32_t id, ac_actor_t *actor)
{
    peer_t *peer = s_peer(self, id);
    if (peer && pr_map_set(peer->starved, ac_actor_poll(actor), actor) != 0) {
        peer->given_up = true;
    }
}

void
ac_peers_give_up(ac_peers_t *self, uint32_t id)
{
    peer_t *peer = s_peer(self, id);
    if (peer) {
        peer->given_up = true;
    }
}

void
ac_peers_forget_actor(ac_peers_t *self, pr_str_t poll)
{
    for (size_t i = 0; i < self->count; i++) {
        (void) pr_map_remove(self->list[i].starved, poll);
    }
}

/* Sends what waited, oldest first, until the window is full again. Last words before all else: they
 * are about actors that may have successors by now. */
static void
s_feed(peer_t *peer)
{
    pr_link_t *link = pr_peer_link(peer->peer);
    while (peer->first && pr_link_is_writable(link)) {
        pr_str_t words = {peer->first->bytes, peer->first->len};
        if (pr_link_send_packed(link, words) == PR_E_BUSY) {
            return;
        }
        s_forget_first(peer);
    }
    /* Each at most once: who starves again goes to the end. */
    for (size_t left = pr_map_count(peer->starved); left > 0 && pr_link_is_writable(link); left--) {
        ac_actor_t *actor = pr_map_take(peer->starved, pr_map_key_at(peer->starved, 0));
        ac_actor_writable(actor, peer->id);
    }
}

void
ac_peers_turn(ac_peers_t *self)
{
    for (size_t i = self->count; i-- > 0;) {
        if (i >= self->count) {
            continue;
        }
        peer_t *peer = &self->list[i];
        if (peer->given_up) {
            self->given_up++;
            pr_log_warn("peers.given_up", "peer=%s", pr_link_peer_name(pr_peer_link(peer->peer)));
            pr_link_drop(pr_peer_link(peer->peer), PR_E_BUSY);
        } else if (peer->first || pr_map_count(peer->starved)) {
            s_feed(peer);
        }
    }
}

void
ac_peers_compare(ac_peers_t *self, const pr_roster_t *before, const pr_roster_t *now)
{
    for (size_t i = 0; i < self->count; i++) {
        const char *inc = pr_link_peer_incarnation(pr_peer_link(self->list[i].peer));
        if (before && pr_roster_has_incarnation(before, inc) &&
            !pr_roster_has_incarnation(now, inc)) {
            self->list[i].given_up = true;
        }
    }
}

size_t
ac_peers_count(const ac_peers_t *self)
{
    return self->count;
}

uint64_t
ac_peers_given_up(const ac_peers_t *self)
{
    return self->given_up;
}
