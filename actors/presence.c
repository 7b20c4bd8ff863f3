/* SPDX-License-Identifier: MIT */

/* Each gateway has a map of its conns; each user a list of its own. Users without any are
 * forgotten. */

#include "actors/presence.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/map.h"
#include "proto/wire/error.h"

typedef struct {
    uint32_t id;
    bool synced;
    pr_map_t *conns; /* conn -> ac_conn_t */
    ac_conn_t *waiting;
    ac_conn_t *waiting_last;
} gateway_t;

struct ac_presence {
    ac_users_t *users;
    gateway_t *gateways;
    size_t gateway_count;
    size_t conn_count;
    ac_user_t *handed_out; /* by the last next_change: forgotten at the next call */
};

ac_presence_t *
ac_presence_new(const ac_grace_t *grace)
{
    ac_presence_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->users = ac_users_new(grace);
    if (!self->users) {
        ac_presence_destroy(&self);
    }
    return self;
}

void
ac_presence_destroy(ac_presence_t **self_p)
{
    PR_ASSERT(self_p);
    ac_presence_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = 0; i < self->gateway_count; i++) {
        pr_map_destroy(&self->gateways[i].conns);
    }
    free(self->gateways);
    ac_users_destroy(&self->users);
    free(self);
    *self_p = NULL;
}

static void
s_forget_handed_out(ac_presence_t *self)
{
    ac_users_drop_if_idle(self->users, self->handed_out);
    self->handed_out = NULL;
}

/* --- gateways and conns --- */

static gateway_t *
s_gateway(const ac_presence_t *self, uint32_t id)
{
    for (size_t i = 0; i < self->gateway_count; i++) {
        if (self->gateways[i].id == id) {
            return &self->gateways[i];
        }
    }
    return NULL;
}

static gateway_t *
s_add_gateway(ac_presence_t *self, uint32_t id)
{
    gateway_t *gateways = realloc(self->gateways, (self->gateway_count + 1) * sizeof *gateways);
    if (!gateways) {
        return NULL;
    }
    self->gateways = gateways;
    gateway_t *gateway = &gateways[self->gateway_count];
    *gateway = (gateway_t) {.id = id, .conns = pr_map_new(free)};
    if (!gateway->conns) {
        return NULL;
    }
    self->gateway_count++;
    return gateway;
}

static void
s_drop_gateway_if_empty(ac_presence_t *self, gateway_t *gateway)
{
    if (pr_map_count(gateway->conns)) {
        return;
    }
    pr_map_destroy(&gateway->conns);
    self->gateway_count--;
    *gateway = self->gateways[self->gateway_count];
}

static void
s_wait(gateway_t *gateway, ac_conn_t *conn)
{
    if (conn->waiting) {
        return;
    }
    conn->waiting = true;
    conn->waiting_prev = gateway->waiting_last;
    conn->waiting_next = NULL;
    if (gateway->waiting_last) {
        gateway->waiting_last->waiting_next = conn;
    } else {
        gateway->waiting = conn;
    }
    gateway->waiting_last = conn;
}

static void
s_unwait(gateway_t *gateway, ac_conn_t *conn)
{
    if (!conn->waiting) {
        return;
    }
    conn->waiting = false;
    if (conn->waiting_prev) {
        conn->waiting_prev->waiting_next = conn->waiting_next;
    } else {
        gateway->waiting = conn->waiting_next;
    }
    if (conn->waiting_next) {
        conn->waiting_next->waiting_prev = conn->waiting_prev;
    } else {
        gateway->waiting_last = conn->waiting_prev;
    }
    conn->waiting_prev = conn->waiting_next = NULL;
}

static void
s_link_user(ac_presence_t *self, ac_conn_t *conn, ac_user_t *user)
{
    if (user->conn_count == 0) {
        ac_users_change(self->users, user);
    }
    conn->user = user;
    conn->user_prev = NULL;
    conn->user_next = user->conns;
    if (user->conns) {
        user->conns->user_prev = conn;
    }
    user->conns = conn;
    user->conn_count++;
}

static void
s_unlink_user(ac_conn_t *conn)
{
    ac_user_t *user = conn->user;
    if (conn->user_prev) {
        conn->user_prev->user_next = conn->user_next;
    } else {
        user->conns = conn->user_next;
    }
    if (conn->user_next) {
        conn->user_next->user_prev = conn->user_prev;
    }
    conn->user_prev = conn->user_next = NULL;
    user->conn_count--;
}

/* Frees the conn; its user stays, whatever is left of it. */
static ac_user_t *
s_remove_conn(ac_presence_t *self, gateway_t *gateway, ac_conn_t *conn)
{
    ac_user_t *user = conn->user;
    s_unwait(gateway, conn);
    s_unlink_user(conn);
    (void) pr_map_remove(gateway->conns, pr_str(conn->id));
    self->conn_count--;
    return user;
}

static ac_conn_t *
s_add_conn(ac_presence_t *self, gateway_t *gateway, pr_str_t id)
{
    PR_ASSERT(id.len <= PR_CONN_ID_LEN_MAX);
    ac_conn_t *conn = calloc(1, sizeof *conn);
    if (!conn) {
        return NULL;
    }
    memcpy(conn->id, id.ptr, id.len);
    conn->gateway = gateway->id;
    if (pr_map_set(gateway->conns, id, conn) != 0) {
        free(conn);
        return NULL;
    }
    self->conn_count++;
    return conn;
}

static ac_conn_t *
s_new_conn(
    ac_presence_t *self, uint32_t gateway_id, pr_str_t conn_id, pr_str_t user_id, pr_str_t name)
{
    gateway_t *gateway = s_gateway(self, gateway_id);
    if (!gateway) {
        gateway = s_add_gateway(self, gateway_id);
    }
    ac_user_t *user = ac_users_get(self->users, user_id);
    if (!user) {
        user = ac_users_add(self->users, user_id, name);
    } else if (user->conn_count == 0 && ac_users_rename(user, name) != 0) {
        user = NULL; /* one that was only listed has no name here yet */
    }
    ac_conn_t *conn = gateway && user ? s_add_conn(self, gateway, conn_id) : NULL;
    if (conn) {
        s_link_user(self, conn, user);
        return conn;
    }
    ac_users_drop_if_idle(self->users, user);
    if (gateway) {
        s_drop_gateway_if_empty(self, gateway);
    }
    return NULL;
}

int
ac_presence_connect(ac_presence_t *self,
                    uint32_t gateway_id,
                    pr_str_t conn_id,
                    pr_str_t user_id,
                    pr_str_t name,
                    ac_conn_t **out)
{
    s_forget_handed_out(self);
    ac_conn_t *conn = ac_presence_conn(self, gateway_id, conn_id);
    if (conn && !pr_str_equal(pr_str(conn->user->id), user_id)) {
        ac_presence_disconnect(self, gateway_id, conn_id, AC_WHY_LEAVE, 0);
        conn = NULL;
    }
    if (!conn) {
        if (self->conn_count >= PR_POLL_CONNS_MAX) {
            return PR_E_FULL;
        }
        conn = s_new_conn(self, gateway_id, conn_id, user_id, name);
        if (!conn) {
            return PR_E_NOMEM;
        }
    }
    conn->seen = true;
    s_wait(s_gateway(self, gateway_id), conn);
    *out = conn;
    return 0;
}

void
ac_presence_disconnect(
    ac_presence_t *self, uint32_t gateway_id, pr_str_t conn_id, ac_why_t why, int64_t now_ms)
{
    s_forget_handed_out(self);
    gateway_t *gateway = s_gateway(self, gateway_id);
    ac_conn_t *conn = gateway ? pr_map_get(gateway->conns, conn_id) : NULL;
    if (!conn) {
        return;
    }
    ac_user_t *user = s_remove_conn(self, gateway, conn);
    if (user->conn_count == 0) {
        ac_users_absent(self->users, user, why, now_ms);
    }
    s_drop_gateway_if_empty(self, gateway);
}

void
ac_presence_dismiss(ac_presence_t *self, ac_user_t *user)
{
    while (user->conns) {
        gateway_t *gateway = s_gateway(self, user->conns->gateway);
        (void) s_remove_conn(self, gateway, user->conns);
        s_drop_gateway_if_empty(self, gateway);
    }
}

/* Loses the conns of a gateway: all, or those that its SYNC did not name. */
static void
s_lose(ac_presence_t *self, gateway_t *gateway, bool all, int64_t now_ms)
{
    for (size_t i = pr_map_count(gateway->conns); i-- > 0;) {
        ac_conn_t *conn = pr_map_value_at(gateway->conns, i);
        if (all || !conn->seen) {
            ac_user_t *user = s_remove_conn(self, gateway, conn);
            if (user->conn_count == 0) {
                ac_users_absent(self->users, user, AC_WHY_LOST, now_ms);
            }
        }
    }
    s_drop_gateway_if_empty(self, gateway);
}

void
ac_presence_gateway_lost(ac_presence_t *self, uint32_t gateway_id, int64_t now_ms)
{
    s_forget_handed_out(self);
    gateway_t *gateway = s_gateway(self, gateway_id);
    if (gateway) {
        s_lose(self, gateway, true, now_ms);
    }
}

void
ac_presence_sync_begin(ac_presence_t *self, uint32_t gateway_id)
{
    gateway_t *gateway = s_gateway(self, gateway_id);
    for (size_t i = 0; gateway && i < pr_map_count(gateway->conns); i++) {
        ac_conn_t *conn = pr_map_value_at(gateway->conns, i);
        conn->seen = false;
    }
}

void
ac_presence_sync_end(ac_presence_t *self, uint32_t gateway_id, int64_t now_ms)
{
    s_forget_handed_out(self);
    gateway_t *gateway = s_gateway(self, gateway_id);
    if (gateway) {
        gateway->synced = true;
        s_lose(self, gateway, false, now_ms);
    }
}

int
ac_presence_listed(ac_presence_t *self, pr_str_t id, int64_t now_ms)
{
    s_forget_handed_out(self);
    if (ac_users_get(self->users, id)) {
        return 0;
    }
    ac_user_t *user = ac_users_add(self->users, id, PR_STR(""));
    if (!user) {
        return PR_E_NOMEM;
    }
    ac_users_absent(self->users, user, AC_WHY_LOST, now_ms);
    return 0;
}

void
ac_presence_recheck(ac_presence_t *self)
{
    s_forget_handed_out(self);
    for (size_t i = 0; i < ac_users_count(self->users); i++) {
        ac_user_t *user = ac_users_at(self->users, i);
        if (user->conn_count) {
            ac_users_change(self->users, user);
        }
    }
}

/* --- changes --- */

ac_user_t *
ac_presence_next_change(ac_presence_t *self, int64_t now_ms)
{
    s_forget_handed_out(self);
    self->handed_out = ac_users_next_change(self->users, now_ms);
    return self->handed_out;
}

bool
ac_presence_has_change(const ac_presence_t *self, int64_t now_ms)
{
    return ac_users_has_change(self->users, now_ms);
}

int64_t
ac_presence_due_ms(const ac_presence_t *self)
{
    return ac_users_due_ms(self->users);
}

/* --- questions --- */

ac_user_t *
ac_presence_user(const ac_presence_t *self, pr_str_t id)
{
    return ac_users_get(self->users, id);
}

ac_conn_t *
ac_presence_conn(const ac_presence_t *self, uint32_t gateway_id, pr_str_t conn_id)
{
    const gateway_t *gateway = s_gateway(self, gateway_id);
    return gateway ? pr_map_get(gateway->conns, conn_id) : NULL;
}

size_t
ac_presence_conn_count(const ac_presence_t *self)
{
    return self->conn_count;
}

size_t
ac_presence_gateway_count(const ac_presence_t *self)
{
    return self->gateway_count;
}

uint32_t
ac_presence_gateway_at(const ac_presence_t *self, size_t index)
{
    PR_ASSERT(index < self->gateway_count);
    return self->gateways[index].id;
}

bool
ac_presence_has_gateway(const ac_presence_t *self, uint32_t gateway)
{
    return s_gateway(self, gateway) != NULL;
}

bool
ac_presence_was_synced(const ac_presence_t *self, uint32_t gateway_id)
{
    const gateway_t *gateway = s_gateway(self, gateway_id);
    return gateway && gateway->synced;
}

ac_conn_t *
ac_presence_waiting(const ac_presence_t *self, uint32_t gateway_id)
{
    const gateway_t *gateway = s_gateway(self, gateway_id);
    return gateway ? gateway->waiting : NULL;
}

void
ac_presence_answered(ac_presence_t *self, ac_conn_t *conn)
{
    s_unwait(s_gateway(self, conn->gateway), conn);
}
