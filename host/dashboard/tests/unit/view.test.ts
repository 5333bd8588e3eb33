import assert from "node:assert/strict";
import { test } from "node:test";
import { byChannel, emoteOf, seriesOf, spoken } from "../../src/series.ts";
import { read, takeToken, write } from "../../src/view.ts";

const HOSTILE = ["<img src=x onerror=alert(1)>", "a/b?c#d&e=f", "100%25%", "\u202edrawkcab", '"quoted"', "+ +", "emote:7tv:x"];

test("a link brings back the same view, whatever emotes are called", () => {
  for (const name of HOSTILE) {
    const view = {
      channel: "seaside",
      interval: "30s" as const,
      of: ["messages", `emote:7tv:${name}`, `harbour/emote:7tv:${name}`],
      output: name,
      range: { from: 5, to: 9 },
      since: null,
      log: true,
    };
    assert.deepEqual(read(write(view)), view, name);
  }
});

test("a link that somebody has bent shows something all the same", () => {
  const bent = ["", "#", "#interval=2s", "#of=steam:x&of=&of=emote:7tv:", "#from=9&to=5", "#from=x&to=1e9", "#of=harbour/&of=/messages&of=harbour/x", "#from=x", "#scale=odd", "#from=1&to=99999999999999999", "#%zz"];
  for (const hash of bent) {
    assert.deepEqual(read(hash), { channel: "", interval: "5s", of: ["messages"], output: "", range: null, since: null, log: false }, hash);
  }
  assert.equal(read(`#${Array.from({ length: 50 }, (_, it) => `of=emote:7tv:${it}`).join("&")}`).of.length, 8);
});

test("the token is taken out of a link, and nothing else", () => {
  assert.deepEqual(takeToken("#token=a%2Bb&channel=x&of=messages"), { token: "a+b", rest: "#channel=x&of=messages" });
  assert.deepEqual(takeToken("#channel=x"), { token: null, rest: "#channel=x" });
  assert.deepEqual(takeToken("#token=abc"), { token: "abc", rest: "" });
});

test("a link may begin at a time and stay live", () => {
  const view = read("#channel=seaside&from=7");
  assert.deepEqual([view.range, view.since], [null, 7]);
  assert.deepEqual(read(write(view)), view);
});

test("a series may be one of another channel, whatever its emote is called", () => {
  assert.deepEqual(seriesOf("harbour/messages"), { channel: "harbour", of: "messages" });
  assert.deepEqual(seriesOf("emote:7tv:a/messages"), { channel: null, of: "emote:7tv:a/messages" });
  assert.deepEqual(emoteOf("harbour/emote:7tv:a/b"), { provider: "7tv", name: "a/b" });
  assert.deepEqual(["harbour/emote:7tv:LUL", "faves", "output:heat"].map(spoken), ["#harbour LUL", "faves", "heat"]);
  assert.deepEqual([...byChannel(["messages", "a/messages", "b/faves", "a/faves"])], [["a", ["messages", "faves"]], ["b", ["faves"]]]);
});

test("an emote's name may have colons", () => {
  assert.deepEqual(emoteOf("emote:twitch::)"), { provider: "twitch", name: ":)" });
  assert.equal(emoteOf("messages"), null);
});
