/* SPDX-License-Identifier: MIT */

#include "proto/base/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULTS_MAX 16

typedef struct {
    char name[48];
    long at; /* the pass that fails; 0: every one */
    long passes;
} fault_t;

static fault_t s_faults[FAULTS_MAX];
static size_t s_fault_count;

static void
s_load(void)
{
    static bool loaded;
    const char *setting = loaded ? NULL : getenv("ROLLCALL_FAULTS");
    loaded = true;
    while (setting && *setting && s_fault_count < FAULTS_MAX) {
        fault_t *fault = &s_faults[s_fault_count];
        size_t len = strcspn(setting, ":,");
        if (len < sizeof fault->name) {
            memcpy(fault->name, setting, len);
            fault->at = setting[len] == ':' ? strtol(setting + len + 1, NULL, 10) : 0;
            s_fault_count++;
        }
        setting += strcspn(setting, ",");
        setting += *setting == ',';
    }
}

bool
pr_fault_hit(const char *name)
{
    s_load();
    for (size_t i = 0; i < s_fault_count; i++) {
        fault_t *fault = &s_faults[i];
        if (strcmp(fault->name, name) == 0) {
            fault->passes++;
            return fault->at == 0 || fault->passes == fault->at;
        }
    }
    return false;
}
