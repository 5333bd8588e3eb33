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
  const done = await ask<{ done?: string }>("channels/seaside/rules/decay/settings", { set: { half_life: `${20 + (Math.floor(Date.now() / 1000) % 100)}s` } });
  assert.ok(done.done);
  const { page, leave } = await visit(browser, { hash: "channel=seaside&interval=1s" });
  await shown(page);
  await says(page, "#changes", /decay: other settings, by /);
  await says(page, "#rules", /decay.*live/s);
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
    return (await text(page, "#when")).includes("decay: other settings");
  });
  await leave();
});

test("why it is what it is has who moved it", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await shown(page);
  await page.click("#ask-why:enabled");
  await says(page, "#causes", /of chatter_\d+/);
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
  await says(page, ".answer", /Done. decay: show heat "50"/);
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
  for (const part of ["#moderate", "#ruled", "#why"]) assert.ok(await page.locator(part).isHidden(), part);
  assert.ok(await page.locator("#trouble").isHidden());
  await shoot(page, "viewer");
  await leave();
});
