/* SPDX-License-Identifier: MIT */

/* Where Redis is and who we are there, read from what redis.url says:
 *
 *   redis://[[USER]:PASSWORD@]HOST[:PORT][/[0]]
 *   unix:PATH[?user=USER&pass=PASSWORD]
 *
 * %XX stands for a byte in each part. Pure. */

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
