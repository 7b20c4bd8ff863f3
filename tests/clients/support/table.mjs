// SPDX-License-Identifier: MIT
// People at one poll, the first of whom is its admin: they ask for things, and all see the same.
import assert from "node:assert/strict";
import { Player, versionOf } from "./player.mjs";
import { create, join } from "./rest.mjs";

export class Table {
  // `creation`: topic, votesPerVoter, ballots. `options`: those of a Player, or a function of the
  // index that returns them.
  static async open(url, names = ["Ada", "Bob", "Cyd"], creation = {}, options = {}) {
    const self = new Table();
    self.url = url;
    const { poll, accessToken } = await create(url, { ...creation, name: names[0] });
    self.created = poll;
    self.poll = poll.id;
    self.tokens = [accessToken];
    for (const name of names.slice(1)) {
      self.tokens.push((await join(url, self.poll, name)).accessToken);
    }
    const of = typeof options === "function" ? options : () => options;
    self.players = self.tokens.map((token, i) => new Player(url, token, of(i)));
    await Promise.all(self.players.map((player) => player.sees(names)));
    return self;
  }

  get admin() {
    return this.players[0];
  }

  // A command that must be saved; then everybody at the table sees it. Resolves to its
  // acknowledgement.
  async saved(player, event, ...args) {
    const ack = await player.ask(event, ...args);
    assert.equal(ack.outcome, "saved", `${event}: ${JSON.stringify(ack)}`);
    assert.equal(ack.error, undefined);
    await this.all(ack.rev);
    return ack;
  }

  // Everybody at the table sees this version or a later one.
  all(rev) {
    const version = versionOf(rev);
    return Promise.all(
      this.players.map((player) =>
        player.when((me) => me.document.version >= version, `to see version ${version}`),
      ),
    );
  }

  // A command that must be refused: one `exception` to who asked, with the same words as in the
  // acknowledgement, nobody else hears of it, and nothing has changed.
  async refused(player, [event, ...args], type, message, outcome = "none") {
    const heard = this.players.map(({ exceptions }) => exceptions.length);
    const before = this.admin.document?.rev;
    const ack = await player.ask(event, ...args);
    assert.deepEqual(ack, { error: { type, message }, outcome }, event);
    const at = this.players.indexOf(player);
    const news = this.players.map(({ exceptions }, i) => exceptions.slice(heard[i]));
    const wanted = this.players.map((_, i) => (i === at ? [{ type, message }] : []));
    assert.deepEqual(news, wanted, event);
    assert.equal(this.admin.document?.rev, before);
  }

  // Three nominations, one of each of the first three people. Resolves to their ids.
  async nominations(texts = ["Soup", "Rice", "Bread"]) {
    const ids = [];
    for (const [i, text] of texts.entries()) {
      const player = this.players[i % this.players.length];
      ids.push((await this.saved(player, "nominate", { text })).id);
    }
    return ids;
  }

  // Everybody sees what is expected. The own ballot may stand in it: it is compared apart.
  expect(expected) {
    for (const player of this.players) {
      const { rev, version, ...shown } = player.document;
      assert.equal(versionOf(rev), version);
      const rankings = Object.fromEntries(
        Object.entries(shown.rankings).map(([id, own]) => [id, id === player.id ? [] : own]),
      );
      assert.deepEqual({ ...shown, rankings }, expected, player.name);
      assert.deepEqual(player.violations, []);
    }
  }

  leave() {
    for (const player of this.players) player.leave();
  }
}
