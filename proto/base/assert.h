/* SPDX-License-Identifier: MIT */

/*
 * Assertions for our own mistakes, always on: a process in an unknown state is worse than one that
 * its supervisor starts again. Never for bytes from outside, the network, the store or memory size.
 */

#ifndef PR_ASSERT_H
#define PR_ASSERT_H

#define PR_ASSERT(condition)                                                                       \
    ((condition) ? (void) 0 : pr_assert_fail(#condition, __FILE__, __LINE__, __func__))

/* For results that a caller must look at. */
#define PR_MUST_CHECK __attribute__((warn_unused_result))

/* Prints the broken expectation to stderr and aborts. */
__attribute__((noreturn)) void
pr_assert_fail(const char *condition, const char *file, int line, const char *function);

#endif
