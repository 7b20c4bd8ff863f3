/* SPDX-License-Identifier: MIT */

/* What the supervisor stands on: folders, lock, secret, port. On real files. */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/wire/error.h"
#include "supervisor/file.h"
#include "supervisor/generation.h"
#include "supervisor/listener.h"
#include "supervisor/lock.h"
#include "supervisor/paths.h"
#include "supervisor/secret.h"

typedef struct {
    char dir[64];
    sv_paths_t *paths;
    char error[512];
} place_t;

static int
s_setup(void **state)
{
    static place_t s_place;
    (void) snprintf(s_place.dir, sizeof s_place.dir, "/tmp/rollcall-place-XXXXXX");
    if (!mkdtemp(s_place.dir)) {
        return -1;
    }
    s_place.error[0] = '\0';
    s_place.paths = sv_paths_new(s_place.dir, s_place.error, sizeof s_place.error);
    *state = &s_place;
    (void) unsetenv("JWT_SECRET");
    (void) unsetenv("ROLLCALL_TOKEN_SECRET");
    return s_place.paths ? sv_paths_make(s_place.paths, s_place.error, sizeof s_place.error) : -1;
}

static int
s_teardown(void **state)
{
    static const char *const s_left[] = {"lock",       "secret", "generation", "run/secret",
                                         "run/x.sock", "logs",   "redis",      "run"};
    place_t *place = *state;
    char path[SV_PATH_MAX];
    for (size_t i = 0; i < sizeof s_left / sizeof s_left[0]; i++) {
        (void) remove(sv_paths_in_state(place->paths, s_left[i], path));
    }
    sv_paths_destroy(&place->paths);
    return rmdir(place->dir);
}

static mode_t
s_mode(const char *path)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return found.st_mode & 07777;
}

static void
folders_are_for_their_owner_alone(void **state)
{
    place_t *place = *state;
    char path[SV_PATH_MAX];
    assert_int_equal(s_mode(sv_paths_run(place->paths)), 0700);
    assert_int_equal(s_mode(sv_paths_in_state(place->paths, "redis", path)), 0700);
    assert_int_equal(chmod(sv_paths_run(place->paths), 0777), 0);
    assert_int_equal(sv_paths_make(place->paths, place->error, sizeof place->error), 0);
    assert_int_equal(s_mode(sv_paths_run(place->paths)), 0700);
}

static void
path_too_long_for_a_socket_is_refused(void **state)
{
    place_t *place = *state;
    char dir[256];
    (void) snprintf(dir, sizeof dir, "%s/%080d", place->dir, 0);
    assert_null(sv_paths_new(dir, place->error, sizeof place->error));
    assert_non_null(strstr(place->error, "too long"));
    assert_null(sv_paths_new("/no/such/parent/var", place->error, sizeof place->error));
}

/* Takes the lock in another process and tells the result. */
static int
s_lock_elsewhere(const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        char error[256];
        _exit(sv_lock_take(path, error, sizeof error) == PR_E_BUSY && strstr(error, "process ")
                  ? 7
                  : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void
second_supervisor_finds_the_lock_taken(void **state)
{
    place_t *place = *state;
    char path[SV_PATH_MAX];
    (void) sv_paths_in_state(place->paths, "lock", path);
    /* A holder that died leaves nothing but a file. */
    assert_int_equal(s_lock_elsewhere(path), 0);
    assert_int_equal(sv_lock_take(path, place->error, sizeof place->error), 0);
    assert_int_equal(s_lock_elsewhere(path), 7);
}

static int
s_provide(place_t *place, char *path)
{
    pr_config_t *config = pr_config_load(NULL, place->error, sizeof place->error);
    assert_non_null(config);
    int result = sv_secret_provide(config, place->paths, path, place->error, sizeof place->error);
    pr_config_destroy(&config);
    return result;
}

static void
secret_is_made_once_and_kept(void **state)
{
    place_t *place = *state;
    char path[SV_PATH_MAX];
    char first[128];
    char second[128];
    assert_int_equal(s_provide(place, path), 0);
    assert_int_equal(s_mode(path), 0600);
    assert_int_equal(sv_file_read(path, first, sizeof first), 64);
    assert_int_equal(strspn(first, "0123456789abcdef"), 64);
    assert_int_equal(s_provide(place, path), 0);
    assert_int_equal(sv_file_read(path, second, sizeof second), 64);
    assert_string_equal(first, second);
}

static void
secret_of_the_settings_wins(void **state)
{
    place_t *place = *state;
    char path[SV_PATH_MAX];
    char content[128];
    (void) setenv("JWT_SECRET", "hush", 1);
    assert_int_equal(s_provide(place, path), 0);
    assert_non_null(strstr(path, "/run/secret"));
    assert_int_equal(s_mode(path), 0600);
    assert_int_equal(sv_file_read(path, content, sizeof content), 4);
    assert_string_equal(content, "hush");
}

static void
empty_secret_is_refused(void **state)
{
    place_t *place = *state;
    char path[SV_PATH_MAX];
    (void) sv_paths_in_state(place->paths, "secret", path);
    assert_int_equal(sv_file_write(path, PR_STR(" \n")), 0);
    assert_int_equal(s_provide(place, path), PR_E_CONFIG);
    assert_non_null(strstr(place->error, "empty"));
}

static void
generation_survives_and_rubbish_counts_as_none(void **state)
{
    place_t *place = *state;
    char path[SV_PATH_MAX];
    (void) sv_paths_in_state(place->paths, "generation", path);
    sv_generation_t *generation = sv_generation_new(path);
    assert_int_equal(sv_generation_last(generation), 0);
    sv_generation_save(generation, 1764000000123);
    sv_generation_destroy(&generation);
    generation = sv_generation_new(path);
    assert_int_equal(sv_generation_last(generation), 1764000000123);
    sv_generation_destroy(&generation);

    static const char *const s_rubbish[] = {"", "x", "-5", "99999999999999999999999", "\xff\xfe"};
    for (size_t i = 0; i < sizeof s_rubbish / sizeof s_rubbish[0]; i++) {
        assert_int_equal(sv_file_write(path, pr_str(s_rubbish[i])), 0);
        generation = sv_generation_new(path);
        assert_int_equal(sv_generation_last(generation), 0);
        sv_generation_destroy(&generation);
    }
}

/* The port that the kernel gave to a listener on port 0. */
static int
s_port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    if (fd < 0) {
        fail();
        return 0;
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &len), 0);
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *) &address)->sin6_port
                                               : ((struct sockaddr_in *) &address)->sin_port);
}

static void
port_that_is_taken_is_said_so(void **state)
{
    place_t *place = *state;
    int fd = sv_listener_open("", 0, place->error, sizeof place->error);
    assert_true(fd >= 0);
    int port = s_port_of(fd);
    assert_int_equal(sv_listener_open("", port, place->error, sizeof place->error), PR_E_SYSTEM);
    assert_non_null(strstr(place->error, "taken"));
    assert_non_null(strstr(place->error, "PORT"));
    assert_int_equal(sv_listener_open("127.0.0.1", port, place->error, sizeof place->error),
                     PR_E_SYSTEM);

    /* Both families reach it. */
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0) {
        fail();
        return;
    }
    assert_int_equal(connect(client, (struct sockaddr *) &four, sizeof four), 0);
    (void) close(client);
    (void) close(fd);
    assert_int_equal(sv_listener_open("no.such.host.invalid", port, place->error, 512),
                     PR_E_SYSTEM);
}

static void
url_is_what_a_person_would_type(void **state)
{
    (void) state;
    char url[128];
    sv_listener_url("http", "", 3000, url, sizeof url);
    assert_string_equal(url, "http://localhost:3000");
    sv_listener_url("http", "0.0.0.0", 80, url, sizeof url);
    assert_string_equal(url, "http://localhost:80");
    sv_listener_url("http", "::1", 3000, url, sizeof url);
    assert_string_equal(url, "http://[::1]:3000");
    sv_listener_url("http", "example.org", 3000, url, sizeof url);
    assert_string_equal(url, "http://example.org:3000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(folders_are_for_their_owner_alone),
        TEST(path_too_long_for_a_socket_is_refused),
        TEST(second_supervisor_finds_the_lock_taken),
        TEST(secret_is_made_once_and_kept),
        TEST(secret_of_the_settings_wins),
        TEST(empty_secret_is_refused),
        TEST(generation_survives_and_rubbish_counts_as_none),
        TEST(port_that_is_taken_is_said_so),
        TEST(url_is_what_a_person_would_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
