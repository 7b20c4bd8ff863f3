/* SPDX-License-Identifier: MIT */

#include "supervisor/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/wire/error.h"

/* The kernel cuts it to net.core.somaxconn. */
#define BACKLOG 4096

static int
s_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value);
}

/* The descriptor, or -1 with errno. */
static int
s_listen(const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    (void) s_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (address->sa_family == AF_INET6) {
        (void) s_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
    if (bind(fd, address, len) != 0 || listen(fd, BACKLOG) != 0) {
        int kept = errno;
        (void) close(fd);
        errno = kept;
        return -1;
    }
    return fd;
}

static int
s_listen_on_all(int port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port)};
    six.sin6_addr = in6addr_any;
    int fd = s_listen((struct sockaddr *) &six, sizeof six);
    if (fd >= 0 || errno == EADDRINUSE || errno == EACCES) {
        return fd;
    }
    /* A machine without IPv6. */
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    return s_listen((struct sockaddr *) &four, sizeof four);
}

static void
s_explain(const char *host, int port, char *error, size_t error_size)
{
    if (errno == EADDRINUSE) {
        (void) snprintf(error, error_size,
                        "port %d is taken: stop what listens there (ss -ltnp shows it), "
                        "or set PORT to another one",
                        port);
    } else if (errno == EACCES) {
        (void) snprintf(error, error_size,
                        "port %d needs more rights than ours: set PORT to one above 1023", port);
    } else {
        (void) snprintf(error, error_size, "cannot listen on %s port %d: %s",
                        *host ? host : "all addresses", port, strerror(errno));
    }
}

int
sv_listener_open(const char *host, int port, char *error, size_t error_size)
{
    int fd = -1;
    if (!*host) {
        fd = s_listen_on_all(port);
    } else {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
        struct addrinfo *found = NULL;
        char service[8];
        (void) snprintf(service, sizeof service, "%d", port);
        int failed = getaddrinfo(host, service, &hints, &found);
        if (failed) {
            (void) snprintf(error, error_size, "http.host %s: %s", host, gai_strerror(failed));
            return PR_E_SYSTEM;
        }
        fd = s_listen(found->ai_addr, found->ai_addrlen);
        int kept = errno;
        freeaddrinfo(found);
        errno = kept;
    }
    if (fd < 0) {
        s_explain(host, port, error, error_size);
        return PR_E_SYSTEM;
    }
    return fd;
}

void
sv_listener_url(const char *scheme, const char *host, int port, char *out, size_t size)
{
    bool all = !*host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    bool six = !all && strchr(host, ':');
    (void) snprintf(out, size, "%s://%s%s%s:%d", scheme, six ? "[" : "", all ? "localhost" : host,
                    six ? "]" : "", port);
}
