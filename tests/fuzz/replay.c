/* SPDX-License-Identifier: MIT */

/* Stands in for libFuzzer: gives every file of the folders that it is told to the target. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define SEEDS_LEAST 20
#define SEED_BYTES_MAX (1 << 20)

static int
s_replay(const char *folder, const char *name)
{
    char path[4096];
    (void) snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    static uint8_t data[SEED_BYTES_MAX];
    size_t size = fread(data, 1, sizeof data, file);
    (void) fclose(file);
    /* Its own allocation, so that a sanitizer sees reads past the end. */
    PR_ASSERT(size <= sizeof data);
    uint8_t *exact = malloc(size + 1); /* size may be 0 */
    PR_ASSERT(exact);
    memcpy(exact + 1, data, size);
    (void) printf("%s\n", name);
    (void) fflush(stdout);
    int result = LLVMFuzzerTestOneInput(exact + 1, size);
    free(exact);
    return result;
}

int
main(int count, char **folders)
{
    int seeds = 0;
    for (int i = 1; i < count; i++) {
        DIR *folder = opendir(folders[i]);
        if (!folder) {
            perror(folders[i]);
            return EXIT_FAILURE;
        }
        for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
            if (entry->d_name[0] != '.') {
                seeds++;
                (void) s_replay(folders[i], entry->d_name);
            }
        }
        (void) closedir(folder);
    }
    if (seeds < SEEDS_LEAST) {
        (void) fprintf(stderr, "%d seeds, at least %d are wanted\n", seeds, SEEDS_LEAST);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
