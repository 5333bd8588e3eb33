import assert from "node:assert/strict";
import { test } from "node:test";
import { emoteOf, read, takeToken, write } from "../../src/view.ts";

const HOSTILE = ["<img src=x onerror=alert(1)>", "a/b?c#d&e=f", "100%25%", "\u202edrawkcab", '"quoted"', "+ +", "emote:7tv:x"];

test("a link brings back the same view, whatever emotes are called", () => {
  for (const name of HOSTILE) {
    const view = {
      channel: "seaside",
      interval: "30s" as const,
      of: ["messages", `emote:7tv:${name}`],
      output: name,
      range: { from: 5, to: 9 },
    };
    assert.deepEqual(read(write(view)), view, name);
  }
});

test("a link that somebody has bent shows something all the same", () => {
  const bent = ["", "#", "#interval=2s", "#of=steam:x&of=&of=emote:7tv:", "#from=9&to=5", "#from=x&to=1e9", "#from=1&to=99999999999999999", "#%zz"];
  for (const hash of bent) {
    assert.deepEqual(read(hash), { channel: "", interval: "5s", of: ["messages"], output: "", range: null }, hash);
  }
  assert.equal(read(`#${Array.from({ length: 50 }, (_, it) => `of=emote:7tv:${it}`).join("&")}`).of.length, 8);
});

test("the token is taken out of a link, and nothing else", () => {
  assert.deepEqual(takeToken("#token=a%2Bb&channel=x&of=messages"), { token: "a+b", rest: "#channel=x&of=messages" });
  assert.deepEqual(takeToken("#channel=x"), { token: null, rest: "#channel=x" });
  assert.deepEqual(takeToken("#token=abc"), { token: "abc", rest: "" });
});

test("an emote's name may have colons", () => {
  assert.deepEqual(emoteOf("emote:twitch::)"), { provider: "twitch", name: ":)" });
  assert.equal(emoteOf("messages"), null);
});
