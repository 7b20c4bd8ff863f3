/* SPDX-License-Identifier: MIT */

/* Why a client's conn ends: decides how long its participant stays (`why` of DISCONNECT). */

#ifndef GW_WHY_H
#define GW_WHY_H

typedef enum {
    GW_WHY_LEAVE,  /* on purpose, or cut off for bad input: at once */
    GW_WHY_RELOAD, /* a page that loads again (WebSocket close 1001) */
    GW_WHY_LOST    /* the connection was lost, or we ended it for reasons of our own */
} gw_why_t;

static inline const char *
gw_why_name(gw_why_t why)
{
    static const char *const names[] = {"leave", "reload", "lost"};
    return names[why];
}

#endif
