/* SPDX-License-Identifier: MIT */

#include "proto/base/text.h"

#include <stdlib.h>

struct pr_text {
    size_t len;
    char bytes[];
};

pr_text_t *
pr_text_new(pr_str_t text)
{
    pr_text_t *self = malloc(sizeof *self + text.len);
    if (self) {
        self->len = text.len;
        if (text.len) {
            memcpy(self->bytes, text.ptr, text.len);
        }
    }
    return self;
}

pr_str_t
pr_text_str(const pr_text_t *self)
{
    return self ? (pr_str_t) {self->bytes, self->len} : PR_STR("");
}
