// SPDX-License-Identifier: MIT
// Tells whether a system is as well as in the beginning: Ada has sat at a poll all the time, and
// others can come and go.
import assert from "node:assert/strict";
import { Player } from "./player.mjs";
import { create } from "./rest.mjs";

export class Witness {
  static async of(system) {
    const self = new Witness();
    self.system = system;
    self.pids = await system.pids();
    const { poll, accessToken } = await create(system.url, { name: "Ada" });
    self.poll = poll.id;
    self.ada = new Player(system.url, accessToken);
    await self.ada.joined();
    return self;
  }

  // A fresh join works, by the same processes as in the beginning.
  async alive() {
    const bob = await Player.join(this.system.url, this.poll, "Bob");
    await Promise.all([bob, this.ada].map((player) => player.sees(["Ada", "Bob"])));
    bob.leave();
    await this.ada.sees(["Ada"]);
    assert.deepEqual(await this.system.pids(), this.pids);
    assert.deepEqual(this.ada.disconnects, []);
  }

  leave() {
    this.ada.leave();
  }
}
