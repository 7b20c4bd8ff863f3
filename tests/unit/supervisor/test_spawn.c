/* SPDX-License-Identifier: MIT */

/* Real processes: what they are given, how their end is told, how an orphan is found. */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/file.h"
#include "supervisor/record.h"
#include "supervisor/spawn.h"

enum { DEADLINE_MS = 10000 };

typedef struct {
    pr_loop_t *loop;
    sv_process_t *process;
    bool gone;
    int code;
    int signum;
} run_t;

static void
s_exited(void *arg, int code, int signum)
{
    run_t *run = arg;
    run->gone = true;
    run->code = code;
    run->signum = signum;
    sv_process_destroy(&run->process);
}

static bool
s_is_gone(void *arg)
{
    return ((run_t *) arg)->gone;
}

static int
s_setup(void **state)
{
    static run_t s_run;
    sv_spawn_inherit_nothing();
    s_run = (run_t) {.loop = pr_loop_new()};
    *state = &s_run;
    return s_run.loop ? 0 : -1;
}

static int
s_teardown(void **state)
{
    run_t *run = *state;
    sv_process_destroy(&run->process);
    pr_loop_destroy(&run->loop);
    return 0;
}

/* Runs a shell script with these descriptors; its output goes to `output_fd`. */
static int
s_start(run_t *run, const char *script, sv_spawn_t what)
{
    char *argv[] = {"sh", "-c", (char *) script, NULL};
    int error = 0;
    what.program = "sh";
    what.argv = argv;
    run->gone = false;
    run->process = sv_process_new(run->loop, &what, s_exited, run, &error);
    return error;
}

static sv_spawn_t
s_plain(int output_fd)
{
    return (sv_spawn_t) {.output_fd = output_fd, .lifeline_fd = -1, .listen_fd = -1};
}

static void
end_is_told_with_code_or_signal(void **state)
{
    run_t *run = *state;
    assert_int_equal(s_start(run, "exit 111", s_plain(STDERR_FILENO)), 0);
    assert_true(pr_loop_run_until(run->loop, s_is_gone, run, DEADLINE_MS));
    assert_int_equal(run->code, 111);
    assert_int_equal(run->signum, 0);

    assert_int_equal(s_start(run, "exec tail -f /dev/null", s_plain(STDERR_FILENO)), 0);
    sv_process_signal(run->process, SIGKILL);
    assert_true(pr_loop_run_until(run->loop, s_is_gone, run, DEADLINE_MS));
    assert_int_equal(run->signum, SIGKILL);
}

static void
program_that_is_not_there_is_an_error_at_once(void **state)
{
    run_t *run = *state;
    char *argv[] = {"/no/such/program", NULL};
    sv_spawn_t what = s_plain(STDERR_FILENO);
    what.program = argv[0];
    what.argv = argv;
    int error = 0;
    assert_null(sv_process_new(run->loop, &what, s_exited, run, &error));
    assert_true(error < 0);
}

/* What the child wrote, read until it ends. */
static void
s_output(run_t *run, const char *script, sv_spawn_t what, char *out, size_t size)
{
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    what.output_fd = pipe_fds[1];
    assert_int_equal(s_start(run, script, what), 0);
    (void) close(pipe_fds[1]);
    assert_true(pr_loop_run_until(run->loop, s_is_gone, run, DEADLINE_MS));
    ssize_t len = read(pipe_fds[0], out, size - 1);
    out[len > 0 ? len : 0] = '\0';
    (void) close(pipe_fds[0]);
}

static void
child_gets_these_variables_and_descriptors_and_no_more(void **state)
{
    run_t *run = *state;
    char out[4096];
    int lifeline[2];
    assert_int_equal(pipe2(lifeline, O_CLOEXEC), 0);
    int listen_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sv_variable_t variables[] = {{"ROLLCALL_CHILD", "a1"}};
    sv_spawn_t what = s_plain(-1);
    what.variables = variables;
    what.variable_count = 1;
    what.lifeline_fd = lifeline[0];
    what.listen_fd = listen_fd;
    (void) setenv("ROLLCALL_CHILD", "somebody else", 1);
    (void) setenv("ROLLCALL_TEST_OTHER", "kept", 1);
    /* In a session of its own, so that the terminal's Ctrl-C does not reach it. No `|` behind ls:
     * the shell's end of that pipe would be listed, sometimes. */
    s_output(run,
             "echo $ROLLCALL_CHILD $ROLLCALL_TEST_OTHER; ls -m /proc/$$/fd;"
             "cut -d' ' -f6 /proc/$$/stat | grep -qx $$ && echo leader",
             what, out, sizeof out);
    assert_non_null(strstr(out, "a1 kept\n"));
    assert_non_null(strstr(out, "leader"));
    const char *fds = strchr(out, '\n') + 1;
    assert_memory_equal(fds, "0, 1, 2, 3, 4\nl", strlen("0, 1, 2, 3, 4\nl"));
    (void) close(lifeline[0]);
    (void) close(lifeline[1]);
    (void) close(listen_fd);
}

static void
bare_child_gets_nothing_of_ours(void **state)
{
    run_t *run = *state;
    char out[4096];
    sv_spawn_t what = s_plain(-1);
    what.bare = true;
    (void) setenv("JWT_SECRET", "hush", 1);
    s_output(run, "env", what, out, sizeof out);
    assert_non_null(strstr(out, "PATH="));
    assert_null(strstr(out, "JWT_SECRET"));
    (void) unsetenv("JWT_SECRET");
}

/* --- orphans --- */

static void
s_make_state_dir(char *dir, sv_paths_t **paths)
{
    char error[256];
    assert_non_null(mkdtemp(dir));
    *paths = sv_paths_new(dir, error, sizeof error);
    assert_non_null(*paths);
    assert_int_equal(sv_paths_make(*paths, error, sizeof error), 0);
}

static void
s_remove_state_dir(sv_paths_t **paths)
{
    static const char *const s_left[] = {"run/a1.pid", "run", "redis", "logs"};
    char path[SV_PATH_MAX];
    for (size_t i = 0; i < sizeof s_left / sizeof s_left[0]; i++) {
        (void) remove(sv_paths_in_state(*paths, s_left[i], path));
    }
    assert_int_equal(rmdir(sv_paths_state(*paths)), 0);
    sv_paths_destroy(paths);
}

/* A child of the test itself, so that it can be waited for. `script` must not end by itself. */
static pid_t
s_orphan(const char *script)
{
    int ready[2];
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void) dup2(ready[1], STDOUT_FILENO);
        (void) execlp("sh", "sh", "-c", script, (char *) NULL);
        _exit(127);
    }
    char byte = 0;
    (void) close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void) close(ready[0]);
    return pid;
}

static void
process_left_behind_is_ended_by_its_record(void **state)
{
    (void) state;
    char dir[] = "/tmp/rollcall-orphan-XXXXXX";
    char error[256];
    char path[SV_PATH_MAX];
    sv_paths_t *paths = NULL;
    s_make_state_dir(dir, &paths);
    pid_t pid = s_orphan("echo; exec tail -f /dev/null >/dev/null");
    sv_record_write(paths, "a1", pid);
    assert_int_equal(sv_file_write(sv_paths_in_run(paths, "a1-x.sock", path), PR_STR("")), 0);

    assert_int_equal(sv_record_clear(paths, error, sizeof error), 0);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(sv_paths_in_run(paths, "a1.pid", path), F_OK), 0);
    s_remove_state_dir(&paths);
}

static void
stranger_with_the_same_number_is_left_alone(void **state)
{
    (void) state;
    char dir[] = "/tmp/rollcall-orphan-XXXXXX";
    char error[256];
    char path[SV_PATH_MAX];
    char content[64];
    sv_paths_t *paths = NULL;
    s_make_state_dir(dir, &paths);
    pid_t pid = s_orphan("echo; exec tail -f /dev/null >/dev/null");
    (void) snprintf(content, sizeof content, "%d 1\n", (int) pid);
    assert_int_equal(sv_file_write(sv_paths_in_run(paths, "a1.pid", path), pr_str(content)), 0);
    assert_int_equal(sv_record_clear(paths, error, sizeof error), 0);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);

    /* Rubbish in a record harms nobody either. */
    static const char *const s_rubbish[] = {"", "-1 5\n", "1 0\n", "x y\n", "999999999 1\n"};
    for (size_t i = 0; i < sizeof s_rubbish / sizeof s_rubbish[0]; i++) {
        assert_int_equal(sv_file_write(path, pr_str(s_rubbish[i])), 0);
        assert_int_equal(sv_record_clear(paths, error, sizeof error), 0);
    }
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    s_remove_state_dir(&paths);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(end_is_told_with_code_or_signal),
        TEST(program_that_is_not_there_is_an_error_at_once),
        TEST(child_gets_these_variables_and_descriptors_and_no_more),
        TEST(bare_child_gets_nothing_of_ours),
        cmocka_unit_test(process_left_behind_is_ended_by_its_record),
        cmocka_unit_test(stranger_with_the_same_number_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
