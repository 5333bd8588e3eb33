import assert from "node:assert/strict";
import { test } from "node:test";
import { slotOf } from "../../src/add-rule.ts";
import { Channels } from "../../src/channels.ts";
import { picture } from "../../src/emotes.ts";
import { bytes, counted, duration, logTicks, number, rate, share, stretch } from "../../src/format.ts";
import { carried } from "../../src/filters.ts";
import { fitted, forWhole, forZoom } from "../../src/intervals.ts";
import { crossings, levelsOf } from "../../src/levels.ts";

import { isNumber } from "../../src/now.ts";
import { ordersOf, plain } from "../../src/orders.ts";
import { viewOf } from "../../src/presets.ts";
import { cost } from "../../src/rules.ts";
import { withPerson } from "../../src/selection.ts";
import { EventLines } from "../../src/sse.ts";
import { wishOf } from "../../src/takeback.ts";
import { heard, now } from "../../src/time.ts";
import type { Rule } from "../../src/types.ts";

test("events are whole however they were cut on their way", () => {
  const text = 'data: {"a":1}\n\n: alive\n\ndata: x\r\ndata:y\r\n\r\n';
  for (let size = 1; size <= text.length; size += 1) {
    const lines = new EventLines();
    const found: string[] = [];
    for (let at = 0; at < text.length; at += size) found.push(...lines.feed(text.slice(at, at + size)));
    assert.deepEqual(found, ['{"a":1}', "x\ny"], `cut every ${size}`);
  }
});

test("a picture comes from the four that serve them, and from nowhere else", () => {
  assert.equal(picture("twitch", "25"), "https://static-cdn.jtvnw.net/emoticons/v2/25/default/dark/1.0");
  assert.equal(picture("twitch", "emotesv2_0a"), "https://static-cdn.jtvnw.net/emoticons/v2/emotesv2_0a/default/dark/1.0");
  assert.equal(picture("7tv", "01F"), "https://cdn.7tv.app/emote/01F/1x.webp");
  assert.equal(picture("bttv", "5f"), "https://cdn.betterttv.net/emote/5f/1x");
  assert.equal(picture("ffz", "9"), "https://cdn.frankerfacez.com/emote/9/1");
  for (const id of ["", "../x", "a/b", "1?x", "1#x", "%2e", "x".repeat(65)]) assert.equal(picture("twitch", id), null, id);
  assert.equal(picture("steam", "1"), null);
});

test("zooming in makes bins finer, and never wider", () => {
  assert.equal(forZoom("1h", 20 * 60_000), "1m");
  assert.equal(forZoom("5s", 20 * 60_000), "5s");
  assert.equal(forZoom("5s", 10_000), "1s");
});

test("a wider bin shows more time around the same middle", () => {
  assert.deepEqual(fitted({ from: 0, to: 60_000 }, "1s"), { from: 0, to: 60_000 });
  const wide = fitted({ from: 7_200_000, to: 7_260_000 }, "30s");
  assert.equal(wide.to - wide.from, 3_600_000);
  assert.equal((wide.from + wide.to) / 2, 7_230_000);
});

test("numbers are as people read them", () => {
  assert.deepEqual([0, 1234, 12.34, 1.239, 1_234_567, -3].map(number), ["0", "1,234", "12.3", "1.24", "1.2M", "-3"]);
  assert.deepEqual([0, 9.96, 100.4].map(rate), ["0.0", "10.0", "100"]);
  assert.deepEqual([0, 59, 3661, 90_000].map(duration), ["0 s", "59 s", "1 h 1 min", "1 d 1 h"]);
  assert.deepEqual([5, 2048].map(bytes), ["5 bytes", "2.0 KiB"]);
  assert.deepEqual([counted(1, "fave"), counted(2, "fave")], ["1 fave", "2 faves"]);
});

test("an output is a number when it begins with one, as in the store", () => {
  for (const text of ["7", "12.5", "-3 and more", "+1", ".5"]) assert.ok(isNumber(text), text);
  for (const text of ["", "hot", "on 5", "-", "NaN"]) assert.ok(!isNumber(text), text);
});

test("channels come and go, and who is gone is still found", () => {
  const channels = new Channels();
  channels.know(["seaside", "harbour"]);
  channels.know(["harbour", "beach"]);
  const names = (text: string): string[] => channels.fitting(text).map((it) => (it.here ? it.name : `(${it.name})`));
  assert.deepEqual(names(""), ["harbour", "beach", "(seaside)"]);
  assert.deepEqual(names("#SEA"), ["(seaside)"]);
  channels.know(["seaside"]);
  assert.deepEqual(names("sea"), ["seaside"]);
});

test("orders are those that the settings of live rules tell", () => {
  const rule = (command: unknown, about: string, state = "live"): Rule => ({
    channel: "x",
    slot: "s",
    state: state as Rule["state"],
    name: "n",
    version: "1",
    role: "formula",
    since: null,
    changed: false,
    settings: { moderator_command: command },
    declared: [{ name: "moderator_command", about }],
  });
  const about = "The command of moderators and the owner: set 50, reset. Empty for none.";
  assert.deepEqual(ordersOf([rule("?heat", about), rule("?heat", about)]), [
    { text: "?heat set 50", label: "set 50", fills: true },
    { text: "?heat reset", label: "reset", fills: false },
  ]);
  const own = { ...rule("?heat", "The command of moderators: pause, resume, add. Empty for none."), name: "fave" };
  assert.deepEqual(ordersOf([own]).map((it) => [it.label, it.fills]), [["Pause faves", false], ["Resume faves", false], ["Add a fave", true]]);
  assert.deepEqual(ordersOf([rule("", about), rule("?heat", about, "quarantined"), rule("?heat", "")]), []);
});

test("what an order did is said in words", () => {
  assert.equal(plain("fave", 'say "Faves are paused until ?heat resume."'), "Faves are paused until ?heat resume.");
  assert.equal(plain("decay", 'show heat "50"'), "heat: 50");
  assert.equal(plain("fave", 'say "\\u{202e}"'), '"\\u{202e}"');
  assert.equal(plain("fave", "drop"), "fave: drop");
});

test("a curve crosses the levels of the rule that shows it", () => {
  const rule = (output: string, levels: unknown, state = "live"): Rule => ({
    channel: "x",
    slot: "s",
    state: state as Rule["state"],
    name: "n",
    version: "1",
    role: "formula",
    since: null,
    changed: false,
    settings: { output, levels },
  });
  const rules = [rule("other", { cold: 0 }), rule("heat", { hot: 9 }, "disabled"), rule("heat", { hot: 10, warm: 4 })];
  const levels = levelsOf(rules, "heat");
  assert.deepEqual(levels, [{ name: "warm", from: 4 }, { name: "hot", from: 10 }]);
  assert.deepEqual(levelsOf(rules, "nothing"), []);
  assert.deepEqual(levelsOf([rule("heat", "hot")], "heat"), []);
  const found = crossings([1, 2, 3, 4, 5, 6, 7], [null, 3, 4, null, 12, 11, 2], levels);
  assert.deepEqual(found.map((it) => [it.at, it.value, it.up, it.text]), [
    [3, 4, true, "up to warm"],
    [5, 12, true, "up to hot"],
    [7, 2, false, "down below warm"],
  ]);
  assert.deepEqual(crossings([1, 2], [20, 5], levels).map((it) => it.text), ["down to warm"]);
  assert.deepEqual(crossings([1, 2], [null, 20], levels).map((it) => it.text), ["up to hot"]);
  assert.deepEqual(crossings([1, 2], [20, 5], []), []);
});

test("the time is that of heatd, where this device has another", () => {
  heard("Sat, 21 Nov 2026 18:00:00 GMT", Date.UTC(2026, 10, 21, 18, 5));
  assert.equal(now(1_000_000), 1_000_000 - 300_000);
  heard("Sat, 21 Nov 2026 18:00:00 GMT", Date.UTC(2026, 10, 21, 18, 0, 1));
  assert.equal(now(1_000_000), 1_000_000);
  heard(null);
  heard("no time");
  assert.equal(now(7), 7);
});

test("a stretch of time always has its day, and its year where that is another", () => {
  const at = (year: number, day: number, hour: number): number => new Date(year, 10, day, hour).getTime();
  assert.equal(stretch(at(2026, 30, 14), at(2026, 30, 15), at(2026, 30, 15)), "30 Nov, 14:00:00 – 15:00:00");
  assert.equal(stretch(at(2026, 29, 23), at(2026, 30, 1), at(2026, 30, 15)), "29 Nov, 23:00:00 – 30 Nov, 01:00:00");
  assert.equal(stretch(at(2025, 30, 14), at(2025, 30, 15), at(2026, 30, 15)), "30 Nov 2025, 14:00:00 – 15:00:00");
});

test("what a call uses is a share of what it may use", () => {
  const rule: Rule = { channel: "x", slot: "s", state: "live", name: "n", version: "1", role: "formula", since: null, changed: false };
  assert.equal(cost({ ...rule, calls: 4, fuel: 800_000, fuel_limit: 10_000_000 }), "2 % of the limit");
  assert.equal(cost({ ...rule, calls: 0, fuel: 0, fuel_limit: 10_000_000 }), "–");
  assert.equal(cost({ ...rule, calls: 1, fuel: 5 }), "–");
  assert.deepEqual([share(1, 1_000_000), share(0, 5), share(45, 100)], ["below 0.1 %", "0 %", "45 %"]);
});

test("a preset is a stretch of time, live where that has not ended, or says why it is none", () => {
  const hour = 3_600_000;
  const now = 1000 * hour;
  const live = { from: now - 3 * hour, to: null };
  const before = { from: now - 30 * hour, to: now - 26 * hour };
  const known = { streams: [live, before], known_since: now - 900 * hour };
  assert.deepEqual(viewOf("this", known, now), { range: null, since: live.from, interval: "30s" });
  assert.deepEqual(viewOf("last", known, now), { range: before, since: null, interval: "30s" });
  assert.deepEqual(viewOf("all", known, now), { range: null, since: now - 900 * hour, interval: "1h" });
  const none = { streams: [], known_since: null };
  assert.deepEqual([viewOf("this", none, now), viewOf("last", none, now), viewOf("all", none, now)].map((it) => typeof it), ["string", "string", "string"]);
});

test("a whole stretch has bins that are fine enough, and still kept", () => {
  const hour = 3_600_000;
  assert.equal(forWhole({ from: 0, to: 600_000 }, 600_000), "1s");
  assert.equal(forWhole({ from: 0, to: 600_000 }, 25 * hour), "5s");
  assert.equal(forWhole({ from: 0, to: hour }, 9_000 * hour), "1h");
});

test("another channel takes its own series along, and no emotes of the one before", () => {
  assert.deepEqual(carried(["messages", "emote:7tv:a", "pier/faves", "lagoon/messages"], "lagoon"), ["messages", "pier/faves"]);
  assert.deepEqual(carried(["emote:7tv:a"], "lagoon"), ["messages"]);
});

test("people are tapped one by one, and tapped again to leave them out", () => {
  const ann = withPerson(null, "ann");
  const both = withPerson(ann, "ben");
  assert.deepEqual(both, { kind: "people", logins: ["ann", "ben"] });
  assert.deepEqual(withPerson(both, "ann"), { kind: "people", logins: ["ben"] });
  assert.equal(withPerson(ann, "ann"), null);
  assert.deepEqual(withPerson({ kind: "item", item: "pie" }, "ann"), ann);
});

test("what is taken back is what a person did, several, an item, or a stretch of time", () => {
  const [shown, now] = [{ from: 5, to: 9 }, 10_000_000];
  assert.deepEqual(wishOf("people", " @Ann", "10", shown, now), { user: "ann", since: now - 600_000 });
  assert.deepEqual(wishOf("people", "ann, @ben  ann", "graph", shown, now), { users: ["ann", "ben"], since: 5, until: 9 });
  assert.deepEqual(wishOf("item", " this song ", "graph", shown, now), { item: "this song", since: 5, until: 9 });
  assert.deepEqual(wishOf("everybody", "ann", "graph", shown, now), { everybody: true, since: 5, until: 9 });
});

test("a logarithmic axis has zero and the powers of ten, and nothing beyond its ends", () => {
  assert.deepEqual(logTicks(0, 250), [0, 1, 10, 100]);
  assert.deepEqual(logTicks(-30, 5), [-10, -1, 0, 1]);
  assert.deepEqual(logTicks(0, 0.5), [0]);
});

test("a slot is named as the file is", () => {
  assert.deepEqual(["combo.wasm", "Song_Faves.wasm", "a 1.2.wasm", "raids", ".wasm"].map(slotOf), ["combo", "song_faves", "a-1-2", "raids", "-wasm"]);
});
