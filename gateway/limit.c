/* SPDX-License-Identifier: MIT */

#include "gateway/limit.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "proto/base/assert.h"
#include "proto/base/map.h"

static const uint8_t s_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Debt that gw_limit_charge may run up, in bursts. */
#define DEBT_BURSTS 10

typedef struct {
    int64_t credit; /* tokens times the rate's per_ms, so that no part of one is lost */
    int64_t at_ms;
} bucket_t;

typedef struct entry entry_t;
struct entry {
    /* Neighbours in the ring of all entries, the longest silent one first. */
    entry_t *prev;
    entry_t *next;
    uint8_t key[16];
    bucket_t buckets[GW_LIMIT_KINDS];
};

struct gw_limit {
    gw_limit_rate_t rates[GW_LIMIT_KINDS];
    size_t addresses_max;
    pr_map_t *map;
    entry_t ring; /* its end: next is the longest silent */
};

gw_address_t
gw_address_from(const struct sockaddr *from)
{
    gw_address_t address = {{0}};
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        memcpy(address.bytes, s_mapped, sizeof s_mapped);
        memcpy(address.bytes + sizeof s_mapped, &in.sin_addr, sizeof in.sin_addr);
    } else if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, from, sizeof in);
        memcpy(address.bytes, &in.sin6_addr, sizeof address.bytes);
    }
    return address;
}

static bool
s_is_mapped(const gw_address_t *address)
{
    return memcmp(address->bytes, s_mapped, sizeof s_mapped) == 0;
}

const char *
gw_address_text(const gw_address_t *self, char out[GW_ADDRESS_TEXT_MAX])
{
    const char *text = s_is_mapped(self)
                           ? inet_ntop(AF_INET, self->bytes + 12, out, GW_ADDRESS_TEXT_MAX)
                           : inet_ntop(AF_INET6, self->bytes, out, GW_ADDRESS_TEXT_MAX);
    return text ? text : "?";
}

gw_limit_t *
gw_limit_new(const gw_limit_rate_t rates[GW_LIMIT_KINDS], size_t addresses_max)
{
    PR_ASSERT(addresses_max > 0);
    gw_limit_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    memcpy(self->rates, rates, sizeof self->rates);
    self->addresses_max = addresses_max;
    self->ring.prev = &self->ring;
    self->ring.next = &self->ring;
    self->map = pr_map_new(free);
    if (!self->map) {
        free(self);
        return NULL;
    }
    return self;
}

void
gw_limit_destroy(gw_limit_t **self_p)
{
    PR_ASSERT(self_p);
    gw_limit_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_map_destroy(&self->map);
    free(self);
    *self_p = NULL;
}

static void
s_unlink(entry_t *entry)
{
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
}

static void
s_append(entry_t *ring, entry_t *entry)
{
    entry->prev = ring->prev;
    entry->next = ring;
    entry->prev->next = entry;
    ring->prev = entry;
}

static pr_str_t
s_key(const uint8_t bytes[16])
{
    return (pr_str_t) {(const char *) bytes, 16};
}

static entry_t *
s_add(gw_limit_t *self, const uint8_t key[16], int64_t now_ms)
{
    if (pr_map_count(self->map) >= self->addresses_max) {
        entry_t *oldest = self->ring.next;
        s_unlink(oldest);
        (void) pr_map_remove(self->map, s_key(oldest->key));
    }
    entry_t *entry = calloc(1, sizeof *entry);
    if (!entry) {
        return NULL;
    }
    memcpy(entry->key, key, sizeof entry->key);
    for (size_t i = 0; i < GW_LIMIT_KINDS; i++) {
        entry->buckets[i].credit = self->rates[i].burst * self->rates[i].per_ms;
        entry->buckets[i].at_ms = now_ms;
    }
    if (pr_map_set(self->map, s_key(entry->key), entry) != 0) {
        free(entry);
        return NULL;
    }
    s_append(&self->ring, entry);
    return entry;
}

/* The address's bucket with what has come back since it was last looked at; NULL when out of
 * memory. */
static bucket_t *
s_bucket(gw_limit_t *self, gw_limit_kind_t kind, const gw_address_t *address, int64_t now_ms)
{
    uint8_t key[16];
    memcpy(key, address->bytes, sizeof key);
    if (!s_is_mapped(address)) {
        memset(key + 8, 0, 8);
    }
    entry_t *entry = pr_map_get(self->map, s_key(key));
    if (entry) {
        s_unlink(entry);
        s_append(&self->ring, entry);
    } else {
        entry = s_add(self, key, now_ms);
        if (!entry) {
            return NULL;
        }
    }
    const gw_limit_rate_t *rate = &self->rates[kind];
    bucket_t *bucket = &entry->buckets[kind];
    int64_t full = rate->burst * rate->per_ms;
    int64_t passed_ms = now_ms > bucket->at_ms ? now_ms - bucket->at_ms : 0;
    int64_t missing = full - bucket->credit;
    bool filled = passed_ms > missing / rate->count;
    bucket->credit = filled ? full : bucket->credit + passed_ms * rate->count;
    bucket->at_ms = now_ms;
    return bucket;
}

bool
gw_limit_take(gw_limit_t *self, gw_limit_kind_t kind, const gw_address_t *address, int64_t now_ms)
{
    bucket_t *bucket = s_bucket(self, kind, address, now_ms);
    if (!bucket || bucket->credit < self->rates[kind].per_ms) {
        return false;
    }
    bucket->credit -= self->rates[kind].per_ms;
    return true;
}

bool
gw_limit_has(gw_limit_t *self, gw_limit_kind_t kind, const gw_address_t *address, int64_t now_ms)
{
    const bucket_t *bucket = s_bucket(self, kind, address, now_ms);
    return bucket && bucket->credit >= self->rates[kind].per_ms;
}

void
gw_limit_charge(gw_limit_t *self, gw_limit_kind_t kind, const gw_address_t *address, int64_t now_ms)
{
    const gw_limit_rate_t *rate = &self->rates[kind];
    bucket_t *bucket = s_bucket(self, kind, address, now_ms);
    if (bucket && bucket->credit > -DEBT_BURSTS * rate->burst * rate->per_ms) {
        bucket->credit -= rate->per_ms;
    }
}

size_t
gw_limit_count(const gw_limit_t *self)
{
    return pr_map_count(self->map);
}
