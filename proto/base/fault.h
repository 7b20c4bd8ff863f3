/* SPDX-License-Identifier: MIT */

/*
 * Named places where a test may make things go wrong. In a release build PR_FAULT is `false`.
 * ROLLCALL_FAULTS="store.write:3,link.send:0" makes the third pass of the one and every pass of the
 * other fail.
 */

#ifndef PR_FAULT_H
#define PR_FAULT_H

#include <stdbool.h>

#ifdef PR_FAULTS
#define PR_FAULT(name) pr_fault_hit(name)
#else
#define PR_FAULT(name) (false)
#endif

/* Whether this pass of the place `name` has to fail. */
bool
pr_fault_hit(const char *name);

#endif
