/* SPDX-License-Identifier: MIT */

#include "gateway/pace.h"

#include <stdlib.h>

#include "proto/base/assert.h"

struct gw_pace {
    gw_pacer_t debtors; /* end of a circular list, the nearest `finish` first */
    size_t count;
    uint64_t virtual_bytes; /* what each debtor would have paid since the beginning */
    uint64_t bytes_per_s;
    uint64_t
        rest; /* budget of the past, in bytes · 1000, that did not make a whole byte for each */
    int64_t now_ms;
};

gw_pace_t *
gw_pace_new(int64_t bytes_per_s, int64_t now_ms)
{
    PR_ASSERT(bytes_per_s > 0);
    gw_pace_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->debtors.prev = self->debtors.next = &self->debtors;
    self->bytes_per_s = (uint64_t) bytes_per_s;
    self->now_ms = now_ms;
    return self;
}

void
gw_pace_destroy(gw_pace_t **self_p)
{
    PR_ASSERT(self_p);
    gw_pace_t *self = *self_p;
    if (!self) {
        return;
    }
    PR_ASSERT(self->count == 0);
    free(self);
    *self_p = NULL;
}

static bool
s_is_debtor(const gw_pacer_t *pacer)
{
    return pacer->next != NULL;
}

static void
s_unlink(gw_pace_t *self, gw_pacer_t *pacer)
{
    PR_ASSERT(pacer->prev && pacer->next);
    pacer->prev->next = pacer->next;
    pacer->next->prev = pacer->prev;
    pacer->prev = pacer->next = NULL;
    self->count--;
}

/* Into its place from behind: most debts are of a size, so the search is short. */
static void
s_link(gw_pace_t *self, gw_pacer_t *pacer)
{
    gw_pacer_t *after = self->debtors.prev;
    while (after != &self->debtors && after->finish > pacer->finish) {
        after = after->prev;
    }
    pacer->prev = after;
    pacer->next = after->next;
    after->next->prev = pacer;
    after->next = pacer;
    self->count++;
}

/* Lets the debtors pay from what the time since the last call has brought. */
static void
s_advance(gw_pace_t *self, int64_t now_ms)
{
    if (now_ms <= self->now_ms) {
        return;
    }
    uint64_t passed_ms = (uint64_t) (now_ms - self->now_ms);
    self->now_ms = now_ms;
    /* A second settles what a loop that stood still can settle; it also bounds the product. */
    uint64_t budget = self->bytes_per_s * (passed_ms < 1000 ? passed_ms : 1000) + self->rest;
    self->rest = 0;
    while (self->count) {
        gw_pacer_t *first = self->debtors.next;
        uint64_t each = first->finish - self->virtual_bytes;
        uint64_t affordable = budget / 1000 / self->count;
        if (affordable < each) {
            self->virtual_bytes += affordable;
            self->rest = budget - affordable * self->count * 1000;
            return;
        }
        budget -= each * self->count * 1000;
        self->virtual_bytes = first->finish;
        s_unlink(self, first);
    }
}

int64_t
gw_pace_wait_ms(gw_pace_t *self, const gw_pacer_t *pacer, int64_t now_ms)
{
    s_advance(self, now_ms);
    if (!s_is_debtor(pacer)) {
        return 0;
    }
    uint64_t debt = pacer->finish - self->virtual_bytes;
    uint64_t free_of_charge = self->bytes_per_s / 100;
    if (debt <= free_of_charge) {
        return 0;
    }
    return (int64_t) ((debt - free_of_charge) * self->count / (self->bytes_per_s / 1000 + 1)) + 1;
}

void
gw_pace_spend(gw_pace_t *self, gw_pacer_t *pacer, uint64_t bytes, int64_t now_ms)
{
    s_advance(self, now_ms);
    if (bytes == 0) {
        return;
    }
    if (s_is_debtor(pacer)) {
        s_unlink(self, pacer);
    } else {
        pacer->finish = self->virtual_bytes;
    }
    pacer->finish += bytes;
    s_link(self, pacer);
}

void
gw_pace_forget(gw_pace_t *self, gw_pacer_t *pacer)
{
    if (s_is_debtor(pacer)) {
        s_unlink(self, pacer);
    }
}

size_t
gw_pace_debtors(const gw_pace_t *self)
{
    return self->count;
}
