/* SPDX-License-Identifier: MIT */

/* Public documents and patches as a gateway gets them: a byte for their border, then both. */

#include "proto/poll/document.h"
#include "proto/wire/value.h"
#include "tests/fuzz/fuzz.h"

static void
s_show(const pr_document_t *document)
{
    pr_buf_t *out = pr_buf_new(0);
    pr_document_write_json(document, out, PR_STR_NONE, PR_STR_NONE);
    pr_document_write_msgpack(document, out);
    (void) pr_document_rev(document);
    (void) pr_document_lists(document, PR_STR("alice-alice-alice-ali"));
    pr_buf_destroy(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pr_unpacked_t *memory;
    if (!memory) {
        memory = pr_unpacked_new();
        PR_ASSERT(memory);
    }
    pr_str_t bytes = {(const char *) data, size};
    size_t len = t_fuzz_byte(&bytes);
    len = len << 8 | t_fuzz_byte(&bytes);
    pr_str_t first = t_fuzz_take(&bytes, len);
    pr_document_t *document = NULL;
    const msgpack_object *value = NULL;
    if (pr_value_unpack(first, memory, &value) != 0 ||
        pr_document_from_msgpack(value, &document) != 0) {
        return 0;
    }
    s_show(document);
    if (pr_value_unpack(bytes, memory, &value) == 0 && pr_document_patch(document, value) == 0) {
        s_show(document);
    }
    pr_document_destroy(&document);
    return 0;
}
