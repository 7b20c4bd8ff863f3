/* SPDX-License-Identifier: MIT */

#include "tests/sim/merge.h"

#include "proto/base/assert.h"

json_t *
sim_merge(const json_t *target, const json_t *patch)
{
    if (!json_is_object(patch)) {
        return json_deep_copy(patch);
    }
    /* Members that the patch does not touch are shared: nobody changes an accepted document. */
    json_t *result = json_is_object(target) ? json_copy((json_t *) target) : json_object();
    PR_ASSERT(result);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *) patch, name, value)
    {
        if (json_is_null(value)) {
            (void) json_object_del(result, name);
        } else {
            (void) json_object_set_new(result, name,
                                       sim_merge(json_object_get(result, name), value));
        }
    }
    return result;
}

bool
sim_same(const json_t *a, const json_t *b)
{
    return json_equal(a, b) != 0;
}
