/* SPDX-License-Identifier: MIT */

#ifndef GW_DEAFEN_H
#define GW_DEAFEN_H

/*
 * libwebsockets 4.3 listens for changes of routes, and closes the connections that it then
 * believes to have none; it is wrong about that. Lets its socket hear nothing: call it after the
 * context was made, before there are clients.
 */
void
gw_deafen(void);

#endif
