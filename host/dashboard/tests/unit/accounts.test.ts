import assert from "node:assert/strict";
import { test } from "node:test";
import { standing, wantsLogin } from "../../src/accounts.ts";
import type { Account } from "../../src/types.ts";

const account = (more: Partial<Account>): Account => ({
  login: "seaside",
  bot: false,
  state: "logged-in",
  problem: null,
  features: [{ name: "follows", why: "hears who follows", covered: true }],
  eventsub: { connected: true, hears: ["channel.follow", "channel.raid"], refused: {}, problem: null },
  begun: null,
  ...more,
});

test("an account says in a sentence how it stands, and what helps", () => {
  assert.equal(standing(account({})), "logged in, hears 2 kinds of events");
  assert.equal(wantsLogin(account({})), false);
  const lacks = account({ features: [{ name: "cheers", why: "", covered: false }] });
  assert.equal(standing(lacks), "logged in, but not for cheers: log in again");
  assert.ok(wantsLogin(lacks) && wantsLogin(account({ state: "logged-out" })) && wantsLogin(account({ state: "lapsed" })));
  const silent = account({ eventsub: { connected: false, hears: [], refused: {}, problem: "Twitch has fallen silent" } });
  assert.equal(standing(silent), "logged in; Twitch's events are not heard: Twitch has fallen silent");
  assert.equal(standing(account({ eventsub: null })), "logged in");
  const some = account({ eventsub: { connected: true, hears: ["a"], refused: { b: "why" }, problem: null } });
  assert.equal(standing(some), "logged in, hears 1 kind of events, and 1 not");
});
