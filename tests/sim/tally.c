/* SPDX-License-Identifier: MIT */

#include "tests/sim/tally.h"

#include <stdio.h>
#include <string.h>

#define NAMES_MAX 128

typedef struct {
    char name[40];
    int64_t sum;
} row_t;

static row_t s_rows[NAMES_MAX];
static size_t s_count;

static row_t *
s_row(pr_str_t name)
{
    for (size_t i = 0; i < s_count; i++) {
        if (pr_str_equal(pr_str(s_rows[i].name), name)) {
            return &s_rows[i];
        }
    }
    PR_ASSERT(s_count < NAMES_MAX && name.len < sizeof s_rows[0].name);
    memcpy(s_rows[s_count].name, name.ptr, name.len);
    return &s_rows[s_count++];
}

void
sim_tally_add(pr_str_t map)
{
    pr_unpacked_t *memory = pr_unpacked_new();
    const msgpack_object *object = NULL;
    PR_ASSERT(memory && pr_value_unpack(map, memory, &object) == 0);
    for (uint32_t i = 0; i < object->via.map.size; i++) {
        const msgpack_object_kv *entry = &object->via.map.ptr[i];
        int64_t value = 0;
        if (pr_object_int(&entry->val, &value) && value < 1000000000) {
            s_row(pr_object_str(&entry->key))->sum += value;
        }
    }
    pr_unpacked_destroy(&memory);
}

void
sim_tally_print(void)
{
    for (size_t i = 0; i < s_count; i++) {
        (void) printf("%-24s %lld\n", s_rows[i].name, (long long) s_rows[i].sum);
    }
}
