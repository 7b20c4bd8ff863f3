// SPDX-License-Identifier: MIT
// Other people's packages, found from here so that suites in other folders need no node_modules.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const io48 = require("socket.io-client").io;
export const io46 = require("socket.io-client-4.6").io;
export const io40 = require("socket.io-client-4.0").io;
export const io44 = require("socket.io-client-4.4").io;
export const EngineSocket = require("engine.io-client").Socket;
export const { WebSocket } = require("ws");
export const jwt = require("jsonwebtoken");
export const zmq = require("zeromq");
export const { encode, decode, decodeMulti } = require("@msgpack/msgpack");
