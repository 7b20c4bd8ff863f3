/* SPDX-License-Identifier: MIT */

#include "gateway/deafen.h"

#include <linux/filter.h>
#include <sys/socket.h>

/* What libwebsockets opens when it starts has a lower number. */
#define DESCRIPTORS_AT_START 256

void
gw_deafen(void)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {.len = 1, .filter = &nothing};
    for (int fd = 0; fd < DESCRIPTORS_AT_START; fd++) {
        int domain = 0;
        socklen_t len = sizeof domain;
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK) {
            (void) setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
        }
    }
}
