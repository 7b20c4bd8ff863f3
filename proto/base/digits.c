/* SPDX-License-Identifier: MIT */

#include "proto/base/digits.h"

bool
pr_digits_parse(pr_str_t text, int64_t most, int64_t *number)
{
    int64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        value = value * 10 + (text.ptr[i] - '0');
        if (value > most) {
            return false;
        }
    }
    if (text.len == 0) {
        return false;
    }
    *number = value;
    return true;
}
