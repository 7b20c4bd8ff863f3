/* SPDX-License-Identifier: MIT */

#include "proto/base/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>

#include "proto/base/assert.h"
#include "proto/base/networks.h"
#include "proto/base/redis_url.h"
#include "proto/wire/error.h"

typedef struct {
    const char *key;
    const char *alias;
    bool is_int;
    const char *unset; /* the default, as text */
    int64_t least;
    int64_t most;
    const char *help;
    const char *words; /* what it may be, each with a blank behind it; NULL: any text */
} row_t;

static const row_t s_rows[PR_SET_COUNT] = {
#define PR_SETTING_INT(NAME, key, alias, unset, least, most, help)                                 \
    [PR_SET_##NAME] = {key, alias, true, #unset, least, most, help, NULL},
#define PR_SETTING_TEXT(NAME, key, alias, unset, help)                                             \
    [PR_SET_##NAME] = {key, alias, false, unset, 0, 0, help, NULL},
#define PR_SETTING_WORD(NAME, key, alias, unset, help, words)                                      \
    [PR_SET_##NAME] = {key, alias, false, unset, 0, 0, help, words},
#include "proto/base/settings.def"
#undef PR_SETTING_INT
#undef PR_SETTING_TEXT
#undef PR_SETTING_WORD
};

typedef struct {
    char *text;
    int64_t number;
} value_t;

struct pr_config {
    value_t values[PR_SET_COUNT];
};

/* "gateway.sockets_max" -> "ROLLCALL_GATEWAY_SOCKETS_MAX" */
static void
s_environment_name(const char *key, char *out, size_t size)
{
    int head = snprintf(out, size, "ROLLCALL_");
    PR_ASSERT(head > 0 && (size_t) head + strlen(key) < size);
    char *at = out + head;
    for (; *key; key++) {
        *at++ = (char) (*key == '.' ? '_' : toupper((unsigned char) *key));
    }
    *at = '\0';
}

static bool
s_parse_int(const char *text, int64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static bool
s_is_one_of(const char *words, const char *text)
{
    size_t len = strlen(text);
    for (const char *word = words; *word; word = strchr(word, ' ') + 1) {
        if (strcspn(word, " ") == len && memcmp(word, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes `text` as the value of `row`; false with a line in `error`. */
static bool
s_set(value_t *value, const row_t *row, const char *text, char *error, size_t error_size)
{
    if (row->is_int && (!s_parse_int(text, &value->number) || value->number < row->least ||
                        value->number > row->most)) {
        (void) snprintf(error, error_size,
                        "setting %s: \"%.40s\" is not an integer from %lld to %lld", row->key, text,
                        (long long) row->least, (long long) row->most);
        return false;
    }
    if (row->words && !s_is_one_of(row->words, text)) {
        (void) snprintf(error, error_size, "setting %s: \"%.40s\" is not one of: %s", row->key,
                        text, row->words);
        return false;
    }
    char *copy = strdup(text);
    if (!copy) {
        (void) snprintf(error, error_size, "out of memory");
        return false;
    }
    free(value->text);
    value->text = copy;
    return true;
}

static const row_t *
s_find(const char *key)
{
    for (size_t i = 0; i < PR_SET_COUNT; i++) {
        if (strcmp(s_rows[i].key, key) == 0) {
            return &s_rows[i];
        }
    }
    return NULL;
}

/* Walks the file's tree: "a" with a child "b" holds the setting a.b. */
static bool
s_read_tree(pr_config_t *self, zconfig_t *node, const char *path, char *error, size_t error_size)
{
    for (; node; node = zconfig_next(node)) {
        char key[128];
        (void) snprintf(key, sizeof key, "%s%s%s", path, *path ? "." : "", zconfig_name(node));
        const char *text = zconfig_value(node);
        const row_t *row = s_find(key);
        bool has_value = text && *text;
        if (has_value && !row) {
            (void) snprintf(error, error_size, "setting %s is not known", key);
            return false;
        }
        if (has_value) {
            if (!s_set(&self->values[row - s_rows], row, text, error, error_size)) {
                return false;
            }
        }
        if (zconfig_child(node) &&
            !s_read_tree(self, zconfig_child(node), key, error, error_size)) {
            return false;
        }
    }
    return true;
}

static bool
s_read_file(pr_config_t *self, const char *path, char *error, size_t error_size)
{
    zconfig_t *root = zconfig_load(path);
    if (!root) {
        (void) snprintf(error, error_size, "settings file %s can not be read", path);
        return false;
    }
    zconfig_t *first = zconfig_child(root);
    bool read = !first || s_read_tree(self, first, "", error, error_size);
    zconfig_destroy(&root);
    return read;
}

static bool
s_read_environment(pr_config_t *self, char *error, size_t error_size)
{
    for (size_t i = 0; i < PR_SET_COUNT; i++) {
        char name[128];
        s_environment_name(s_rows[i].key, name, sizeof name);
        const char *text = getenv(name);
        if (!text && *s_rows[i].alias) {
            text = getenv(s_rows[i].alias);
        }
        if (!text || (!*text && (s_rows[i].is_int || s_rows[i].words))) {
            continue;
        }
        if (!s_set(&self->values[i], &s_rows[i], text, error, error_size)) {
            return false;
        }
    }
    return true;
}

/* Where Redis is. An url may hold a password: it is not shown. */
static bool
s_check_redis(const pr_config_t *self, char *error, size_t error_size)
{
    const char *url = pr_config_text(self, PR_SET_REDIS_URL);
    const char *host = pr_config_text(self, PR_SET_REDIS_HOST);
    char made[1024];
    pr_redis_url_t parsed;
    if (*url && !pr_redis_url_parse(url, &parsed)) {
        (void) snprintf(error, error_size,
                        "redis.url must be redis://[user:password@]host[:port] or unix:PATH");
        return false;
    }
    int len = snprintf(made, sizeof made, "redis://%s:1", host);
    if (!*url && *host && (len >= (int) sizeof made || !pr_redis_url_parse(made, &parsed))) {
        (void) snprintf(error, error_size, "redis.host \"%s\" is no host", host);
        return false;
    }
    return true;
}

static bool
s_check_proxies(const pr_config_t *self, char *error, size_t error_size)
{
    pr_networks_t proxies;
    const char *list = pr_config_text(self, PR_SET_HTTP_TRUSTED_PROXIES);
    int result = pr_networks_parse(list, &proxies);
    if (result != 0) {
        (void) snprintf(error, error_size,
                        result == PR_E_FULL
                            ? "http.trusted_proxies has too many networks: \"%s\""
                            : "http.trusted_proxies must be addresses and networks, not \"%s\"",
                        list);
    }
    return result == 0;
}

/* What is more than a number or a text. */
static bool
s_check_all(const pr_config_t *self, char *error, size_t error_size)
{
    bool cert = *pr_config_text(self, PR_SET_HTTP_TLS_CERT) != '\0';
    bool key = *pr_config_text(self, PR_SET_HTTP_TLS_KEY) != '\0';
    if (cert != key) {
        (void) snprintf(error, error_size, "%s is set, but %s is not",
                        cert ? "http.tls_cert" : "http.tls_key",
                        cert ? "http.tls_key" : "http.tls_cert");
    }
    return cert == key && s_check_redis(self, error, error_size) &&
           s_check_proxies(self, error, error_size);
}

pr_config_t *
pr_config_load(const char *path, char *error, size_t error_size)
{
    pr_config_t *self = calloc(1, sizeof *self);
    if (!self) {
        (void) snprintf(error, error_size, "out of memory");
        return NULL;
    }
    bool loaded = true;
    for (size_t i = 0; i < PR_SET_COUNT && loaded; i++) {
        loaded = s_set(&self->values[i], &s_rows[i], s_rows[i].unset, error, error_size);
    }
    loaded = loaded && (!path || !*path || s_read_file(self, path, error, error_size)) &&
             s_read_environment(self, error, error_size) && s_check_all(self, error, error_size);
    if (!loaded) {
        pr_config_destroy(&self);
    }
    return self;
}

void
pr_config_destroy(pr_config_t **self_p)
{
    PR_ASSERT(self_p);
    pr_config_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = 0; i < PR_SET_COUNT; i++) {
        free(self->values[i].text);
    }
    free(self);
    *self_p = NULL;
}

int64_t
pr_config_int(const pr_config_t *self, pr_setting_t setting)
{
    PR_ASSERT(s_rows[setting].is_int);
    return self->values[setting].number;
}

const char *
pr_config_text(const pr_config_t *self, pr_setting_t setting)
{
    return self->values[setting].text;
}

void
pr_config_print_help(FILE *out)
{
    for (size_t i = 0; i < PR_SET_COUNT; i++) {
        const row_t *row = &s_rows[i];
        char name[128];
        s_environment_name(row->key, name, sizeof name);
        (void) fprintf(out, "  %-32s %s%s%s\n      %s (default: %s)\n", row->key, name,
                       *row->alias ? ", " : "", row->alias, row->help,
                       *row->unset ? row->unset : "none");
    }
}
