/* SPDX-License-Identifier: MIT */

/* A request as the words of one EVALSHA. */

#ifndef AC_COMMAND_H
#define AC_COMMAND_H

#include "actors/request.h"

#define AC_COMMAND_WORDS_MAX 12

/* Points into itself, into the request and into the texts it was built from: do not copy or keep
 * it. */
typedef struct {
    pr_str_t argv[AC_COMMAND_WORDS_MAX];
    size_t argc;
    char doc[24];
    char own[32];
    char ends[24];
} ac_command_t;

/* `sha` is the script's; generation and incarnation are ours, for create and claim. */
void
ac_command_build(ac_command_t *self,
                 const ac_request_t *request,
                 const char *sha,
                 const char *generation,
                 const char *incarnation);

#endif
