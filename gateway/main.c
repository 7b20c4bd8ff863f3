/* SPDX-License-Identifier: MIT */

/*
 * rollcall-gateway: one event loop with a gateway and the lifeline to the supervisor. It says READY
 * when it reaches all actors. Exit codes: 0 asked to stop, 100 wrong use, 111 environment failed.
 */

#include <signal.h>
#include <stdio.h>

#include "gateway/gateway.h"
#include "proto/base/log.h"

#define EXIT_USAGE 100
#define EXIT_ENVIRONMENT 111

static void
s_on_signal(void *arg, int signum)
{
    gw_gateway_stop(arg, signum == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* We are on our way out: a second word for it must not make a crash of it. */
static void
s_hear_no_more(void)
{
    sigset_t stops;
    (void) sigemptyset(&stops);
    (void) sigaddset(&stops, SIGTERM);
    (void) sigaddset(&stops, SIGINT);
    (void) sigprocmask(SIG_BLOCK, &stops, NULL);
}

static int
s_run(const pr_child_env_t *env, const pr_config_t *config)
{
    int code = EXIT_ENVIRONMENT;
    pr_loop_t *loop = pr_loop_new();
    gw_gateway_t *gateway = loop ? gw_gateway_new(loop, env, config) : NULL;
    if (gateway && pr_loop_on_signal(loop, SIGTERM, s_on_signal, gateway) == 0 &&
        pr_loop_on_signal(loop, SIGINT, s_on_signal, gateway) == 0) {
        pr_loop_run(loop);
        s_hear_no_more();
        code = 0;
    }
    gw_gateway_destroy(&gateway);
    pr_loop_destroy(&loop);
    return code;
}

int
main(int argc, char **argv)
{
    (void) argv;
    pr_child_env_t env;
    if (argc != 1 || !pr_child_env_read(&env) || env.listen_fd < 0) {
        (void) fprintf(stderr, "rollcall-gateway: is started by rollcall-supervisor\n");
        return EXIT_USAGE;
    }
    char error[256];
    pr_config_t *config = pr_config_load(env.config[0] ? env.config : NULL, error, sizeof error);
    if (!config) {
        (void) fprintf(stderr, "rollcall-gateway: %s\n", error);
        return EXIT_USAGE;
    }
    pr_log_init(env.name, pr_log_level_from_name(pr_config_text(config, PR_SET_LOG_LEVEL)));
    /* A client that has gone is an error of a write, not a signal. */
    (void) signal(SIGPIPE, SIG_IGN);
    int code = s_run(&env, config);
    pr_config_destroy(&config);
    return code;
}
