/* SPDX-License-Identifier: MIT */

/*
 * The roster's last generation, in STATE/generation. It need not be exact, nor even there:
 * generations are at least the wall clock in milliseconds. It matters when that clock was set back.
 */

#ifndef SV_GENERATION_H
#define SV_GENERATION_H

#include <stdint.h>

typedef struct sv_generation sv_generation_t;

/* Opens or makes the file. NULL when out of memory; a file that can not be used is logged. */
sv_generation_t *
sv_generation_new(const char *path);
void
sv_generation_destroy(sv_generation_t **self_p);

/* What was last saved; 0 if nothing was. */
int64_t
sv_generation_last(const sv_generation_t *self);
void
sv_generation_save(sv_generation_t *self, int64_t generation);

#endif
