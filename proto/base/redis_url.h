/* SPDX-License-Identifier: MIT */

/* Where Redis is and who we are there, read from what settings or ROLLCALL_STORE say:
 *
 *   redis://[[USER]:PASSWORD@]HOST[:PORT][/[0]]   port 6379 if absent; HOST may be [v6]
 *   unix:PATH[?user=USER&pass=PASSWORD]           `?` in PATH is %3F
 *
 * %XX stands for a byte in each part; `%`, `@`, `:`, `/`, `?`, `&` in USER, PASSWORD and PATH must
 * be written so. A password without user is the one of requirepass. Pure. */

#ifndef PR_REDIS_URL_H
#define PR_REDIS_URL_H

#include <stdbool.h>

typedef struct {
    bool is_unix;
    bool is_local;   /* this machine: found again at once after a restart */
    char host[256];  /* or the path */
    int port;        /* 0 with a path */
    char user[128];  /* "": none */
    char pass[512];  /* "": no AUTH */
    char where[300]; /* for logs: no user, no password */
} pr_redis_url_t;

/* False if `text` is not such an url, or a part of it is too long. */
bool
pr_redis_url_parse(const char *text, pr_redis_url_t *url);

#endif
