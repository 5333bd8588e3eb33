import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ask, barriers, says, shoot, shown, start, text, until, visit } from "./stage.ts";

let browser: Browser;
before(async () => (browser = await start()));
after(() => browser.close());

interface Status {
  channels: { name: string; outputs: Record<string, string> }[];
}

async function outputs(): Promise<Record<string, string>> {
  const { channels } = await ask<Status>("status");
  return channels.find((it) => it.name === "seaside")?.outputs ?? {};
}

test("the number is the one that the stream shows, with its level, and another output can be chosen", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await shown(page);
  await until("the heat of heatd", async () => (await text(page, "#value")) === (await outputs())["heat"]);
  await until("its level in words", async () => (await text(page, "#also")).includes((await outputs())["level"] ?? "nothing"));
  const others = Object.entries(await outputs()).filter(([name, value]) => name !== "heat" && /^\d/.test(value));
  const other = others[0]?.[0];
  assert.ok(other, "the rules of the stage show one number only");
  await page.selectOption("#output", other);
  await until("the other output", async () => (await text(page, "#value")) === (await outputs())[other]);
  assert.match(page.url(), new RegExp(`output=${other}`));
  await leave();
});

test("a change of a rule is a mark at its time, and stands in the list", async () => {
  const done = await ask<{ message?: string }>("channels/seaside/rules/decay/settings", { set: { half_life: `${20 + (Math.floor(Date.now() / 1000) % 100)}s` } });
  assert.ok(done.message);
  const { page, leave } = await visit(browser, { hash: "channel=seaside&interval=1s" });
  await shown(page);
  await says(page, "#changes", /decay: new settings, by /);
  await says(page, "#rules", /decay.*live/s);
  await says(page, "#rules", /[\d.]+ % of the limit/);
  const { rules } = await ask<{ rules: { channel: string; slot: string; calls: number }[] }>("rules");
  const calls = rules.find((it) => it.channel === "seaside" && it.slot === "fave")?.calls ?? 0;
  assert.ok(calls > 0);
  const { entries } = await ask<{ entries: { at: number }[] }>("history?channel=seaside");
  const at = entries[0]?.at ?? 0;
  await page.click("#now");
  await until("the mark near the cursor", async () => {
    const box = await page.locator("#level .u-over").boundingBox();
    assert.ok(box);
    const place = 1 - (Date.now() - at) / (5 * 60_000);
    await page.mouse.move(box.x + box.width * place, box.y + 20);
    return (await text(page, "#when")).includes("decay: new settings");
  });
  await leave();
});

test("why it is what it is has who moved it", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await shown(page);
  await page.click("#ask-why:enabled");
  await says(page, "#causes", /of\s+chatter_\d+/);
  await says(page, "#causes", /\d+ → \d+/);
  await leave();
});

test("what somebody did is taken back after a look at what that changes", async () => {
  const { people } = await ask<{ people: { login: string; faves: number }[] }>("channels/seaside/faves?count=3");
  const [who] = people;
  assert.ok(who && who.faves > 0);
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await shown(page);
  await page.locator("#undo").waitFor();
  await page.fill("#who", `@${who.login.toUpperCase()}`);
  await page.selectOption("#since", "60");
  await page.click("text=Preview");
  await says(page, "#preview", new RegExp(`take back \\d+ faves? in \\d+ events? of ${who.login}`));
  const { people: still } = await ask<{ people: { login: string; faves: number }[] }>("channels/seaside/faves?count=1000");
  assert.ok((still.find((it) => it.login === who.login)?.faves ?? 0) >= who.faves, "a preview changed something");
  await page.click("text=Take it back");
  await says(page, "#preview .done", /./);
  const { people: left } = await ask<{ people: { login: string; faves: number }[] }>("channels/seaside/faves?count=1000");
  assert.ok((left.find((it) => it.login === who.login)?.faves ?? 0) < who.faves);
  await page.fill("#who", "nobodyofthisname");
  await page.click("text=Preview");
  await says(page, "#preview", /nothing|no /i);
  await leave();
});

/** A heatd that knows roles. */
async function as(page: Page, role: string, ordered: string[]): Promise<void> {
  await page.route("**/api/v1/whoami", (route) => route.fulfill({ json: { role, name: "mia" } }));
  await page.route("**/channels/*/command", (route) => {
    ordered.push((route.request().postDataJSON() as { text: string }).text);
    return route.fulfill({ json: { answers: [{ slot: "decay", effects: ['show heat "50"'] }], faves: 0 } });
  });
  if (role !== "viewer") return;
  for (const path of ["rules", "history?*", "channels/*/faves?*"]) {
    const problem = { title: "Forbidden", status: 403, detail: "this is for moderators" };
    await page.route(`**/api/v1/${path}`, (route) => route.fulfill({ status: 403, json: problem }));
  }
}

test("a moderator gives the orders that the rules take", async () => {
  const ordered: string[] = [];
  const { page, leave } = await visit(browser, { hash: "channel=seaside", before: (page) => as(page, "moderator", ordered) });
  await shown(page);
  await page.click('#orders >> text="?heat pause"');
  await says(page, ".answer", /Done. heat: 50/);
  await page.click('#orders >> text="?heat set 50"');
  assert.equal(await page.inputValue("#order"), "?heat set 50");
  await page.keyboard.type("33");
  await page.keyboard.press("Enter");
  await until("both orders", async () => ordered.length === 2);
  assert.deepEqual(ordered, ["?heat pause", "?heat set 33"]);
  assert.deepEqual(await barriers(page), []);
  await shoot(page, "moderator");
  await leave();
});

test("a viewer sees figures, and nothing that is for others", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside", expected: /403/, before: (page) => as(page, "viewer", []) });
  await shown(page);
  await until("what is for others to be gone", async () => page.locator("#faves").isHidden());
  for (const part of ["#moderate", "#ruled", "#why", "#chat"]) assert.ok(await page.locator(part).isHidden(), part);
  assert.ok(await page.locator("#trouble").isHidden());
  await shoot(page, "viewer");
  await leave();
});

test("the number's third digit moves nothing beside it", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await shown(page);
  const places: number[] = [];
  for (const order of ["?heat set 7", "?heat set 99.9", "?heat set 120"]) {
    await ask("channels/seaside/command", { text: order });
    await until(`a number after ${order}`, async () => (await text(page, "#value")).length >= (places.length === 2 ? 3 : 1));
    places.push((await page.locator("#output").boundingBox())?.x ?? 0);
  }
  assert.equal(new Set(places).size, 1, `the name of the output was at ${places}`);
  await ask("channels/seaside/command", { text: "?heat reset" });
  await leave();
});

test("names and items are tapped to take back, one or several, and so is the time in the graph", async () => {
  const fave = (user: string, item: string): Promise<unknown> =>
    ask("channels/seaside/simulate", { event: { kind: "chat", user, text: `?fave ${item}` }, live: true });
  for (const user of ["tapper_one", "tapper_two"]) for (let time = 0; time < 3; time += 1) await fave(user, `tapped song ${time}`);
  const { page, leave } = await visit(browser, { hash: "channel=seaside&interval=1s" });
  await shown(page);
  const { people } = await ask<{ people: { login: string; name: string }[] }>("channels/seaside/faves?count=8");
  const [one, other] = people;
  assert.ok(one && other);
  for (const { login, name } of [one, other]) await page.locator(`#people button[title="Take back what ${login} did"]`, { hasText: name }).click();
  await says(page, "#picked", new RegExp(`${one.login}, ${other.login}`));
  await shoot(page, "picked", false);
  await page.click("#picked-preview");
  await says(page, "#preview", new RegExp(`of ${one.login}, ${other.login}|Nothing that counts`));
  assert.ok(await page.locator("#picked").isHidden());

  await page.selectOption("#what", "people");
  await page.fill("#who", "tapper_one, tapper_two");
  await page.click("#undo >> text=Preview");
  await says(page, "#preview", /take back \d+ faves? in \d+ events? of tapper_one, tapper_two/);

  const { items } = await ask<{ items: { item: string }[] }>("channels/seaside/faves?count=8");
  const item = items.find((it) => it.item)?.item ?? "";
  await page.locator('#items button[title="Take back the faves of this item"]', { hasText: item }).first().click();
  await page.click("#picked-preview");
  await until("the item in the field", async () => (await page.inputValue("#who")) === item);
  await says(page, "#preview", /take back|Nothing that counts|nothing to take back/);

  await page.selectOption("#what", "item");
  await page.fill("#who", "tapped song 0");
  await page.selectOption("#since", "graph");
  await page.click("#undo >> text=Preview");
  await says(page, "#preview", /take back \d+ faves? in \d+ events? of tapped song 0, \d+ [A-Z][a-z]{2}, /);
  await page.click("text=Take it back");
  await says(page, "#preview .done", /./);
  const { items: left } = await ask<{ items: { item: string }[] }>("channels/seaside/faves?count=1000");
  assert.ok(!left.some((it) => it.item === "tapped song 0") && left.some((it) => it.item === "tapped song 1"), "only this item is taken back");

  await page.selectOption("#what", "everybody");
  assert.ok(await page.locator("#who").isHidden());
  await page.click("#undo >> text=Preview");
  await says(page, "#preview", /take back \d+ faves? in \d+ events? of everybody/);
  await leave();
});

test("moderators say that the stream starts and ends, and whole streams are shown by one press", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=quiet" });
  await shown(page);
  await says(page, "#stream-now", /Nobody has said|offline/);
  await page.click("#presets >> text=This stream");
  await says(page, "#no-preset", /not live/);
  await page.click("#stream-start");
  await says(page, "#stream-now", /has been live|is live/);
  // The news of it come before its commit, and the list of streams has it from then on.
  await says(page, "#stream-answer", /Done/);
  await page.click("#presets >> text=This stream");
  await until("a link that begins at a time and is live", async () => /from=\d+/.test(page.url()) && !page.url().includes("to="));
  await page.click("#stream-end");
  assert.match(await text(page, "#stream-end"), /again/);
  await page.click("#stream-end");
  await says(page, "#stream-now", /offline/);
  await says(page, "#stream-answer", /Done/);
  await page.click("#presets >> text=Last stream");
  await until("a stream with an end", async () => /from=\d+&to=\d+/.test(page.url()));
  const { streams } = await ask<{ streams: { from: number; to: number }[] }>("channels/quiet/streams?count=2");
  assert.ok(page.url().includes(`from=${streams[0]?.from}`), page.url());
  await page.fill("#channel-input", "seaside");
  await page.locator("#channel-input-list").getByText("#seaside").click();
  await page.click("#presets >> text=Everything");
  await until("all that is known", async () => /from=\d+/.test(page.url()) && !page.url().includes("to="));
  const { known_since } = await ask<{ known_since: number }>("channels/seaside/streams");
  assert.ok(page.url().includes(`from=${known_since}`), page.url());
  await leave();
});
