import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { ask, barriers, base, given, hurry, says, shown, start, text, token, until, visit } from "./stage.ts";

let browser: Browser;
before(async () => (browser = await start()));
after(() => browser.close());

const COMBO = join(given("HEAT_RULES"), "combo.wasm");
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

interface Rule {
  channel: string;
  slot: string;
  calls: number;
}

const slots = async (): Promise<string[]> => (await ask<{ rules: Rule[] }>("rules")).rules.filter((it) => it.channel === "seaside").map((it) => it.slot);

/** What heatd says to this component. */
async function said(slot: string, component: Buffer<ArrayBuffer>): Promise<{ message?: string; refused?: string }> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/wasm" };
  const answer = await fetch(`${base}/api/v1/channels/seaside/rules?slot=${slot}`, { method: "POST", headers, body: component });
  return JSON.parse((await answer.text()).trim().split("\n").at(-1) ?? "") as { message?: string; refused?: string };
}

async function remove(slot: string): Promise<void> {
  const answer = await fetch(`${base}/api/v1/channels/seaside/rules/${slot}`, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } });
  assert.ok(answer.ok, await answer.text());
}

async function open(page: Page): Promise<void> {
  await shown(page);
  await says(page, "#rules", /decay/);
  await page.click("#add-rule summary");
  await page.locator("#rule-file").waitFor();
}

/** Everything that the form says from now on. */
async function listen(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const [place, heard] = [document.getElementById("add-rule-answer"), [] as string[]];
    Object.assign(globalThis, { heard });
    if (place) new MutationObserver(() => heard.push(place.textContent ?? "")).observe(place, { childList: true, characterData: true, subtree: true });
  });
  return () => page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
}

const row = (page: Page, slot: string) => page.locator("#rules tbody tr", { has: page.locator(`#slot-${slot}`) });

test("an owner adds a rule after another one, sees its calls, and removes it", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  const sent: string[] = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(new URL(request.url()).search));
  await open(page);
  assert.deepEqual(await page.locator("#rule-place option").allInnerTexts(), ["at the end", "after fave", "after multiplier", "after decay"]);
  await page.setInputFiles("#rule-file", COMBO);
  assert.equal(await page.getAttribute("#rule-slot", "placeholder"), "combo");
  await page.selectOption("#rule-place", "fave");
  const heard = await listen(page);
  await page.click("#add-rule-button");
  await page.click("#add-rule-button");
  await page.focus("#rule-slot");
  await page.keyboard.press("Enter");
  await says(page, "#add-rule-answer", /combo \S+ is live in slot combo of #seaside.*Tried on the last \d+ events\./s);
  assert.deepEqual(sent, ["?slot=combo&after=fave"]);
  assert.match((await heard()).join("\n"), /^Sending.*Compiling.*Trying it on what happened before/s);
  assert.ok(await page.locator("#add-rule-part").isHidden());
  assert.equal(await page.inputValue("#rule-file"), "");
  await says(page, "#rules", /fave.*combo.*added while running.*multiplier/s);
  assert.deepEqual(await slots(), ["fave", "combo", "multiplier", "decay"]);
  await says(page, "#changes", /combo: added, by owner/);
  await until("calls of it", async () => {
    await hurry(page);
    return Number(await row(page, "combo").locator(".figure").first().innerText()) > 0;
  });

  assert.equal(await page.locator(".remove").count(), 1, "a configured rule can be removed");
  await page.click(".remove");
  assert.match(await text(page, ".remove"), /again/);
  await hurry(page);
  await says(page, "#rules", /again/);
  await page.click(".remove");
  await says(page, "#rules-answer", /the rule in slot combo of #seaside is removed/);
  assert.equal(await text(page, "#add-rule-answer"), "", "it is still said to be live");
  await until("it to be gone from the list", async () => !(await text(page, "#rules")).includes("combo"));
  await says(page, "#changes", /combo: removed, by owner/);
  assert.deepEqual(await slots(), ["fave", "multiplier", "decay"]);
  await until("the places to be those that there are", async () => (await page.locator("#rule-place option").count()) === 4);
  await leave();
});

test("what heatd refuses is said in its own words, and can be sent again", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await open(page);
  const broken = Buffer.from("this is no component");
  await page.setInputFiles("#rule-file", { name: "My notes.wasm", mimeType: "application/wasm", buffer: broken });
  assert.equal(await page.getAttribute("#rule-slot", "placeholder"), "my-notes");
  await page.click("#add-rule-button");
  const { refused } = await said("my-notes", broken);
  assert.ok(refused);
  const plain = (text: string): string => text.replace(/\s+/g, " ");
  await until("the same words", async () => plain(await text(page, "#add-rule-answer .wrong")) === plain(refused));
  await page.fill("#rule-slot", "No Slot");
  await page.setInputFiles("#rule-file", COMBO);
  await page.click("#add-rule-button");
  await says(page, "#add-rule-answer .wrong", /"No Slot" cannot name a slot; a slot is named with/);
  await page.fill("#rule-slot", "fave");
  await page.keyboard.press("Enter");
  await says(page, "#add-rule-answer .wrong", /#seaside has a rule in slot fave already/);
  await page.route("**/channels/seaside/rules?*", (route) => route.fulfill({ contentType: "application/x-ndjson", body: '{"step":"compile"}\n{"mess' }));
  await page.keyboard.press("Enter");
  await says(page, "#add-rule-answer .wrong", /broke off; the list of changes says/);
  assert.deepEqual(await slots(), ["fave", "multiplier", "decay"]);
  assert.deepEqual(await barriers(page), []);
  await leave();
});

test("a moderator sees which rule was added, and neither adds nor removes one", async () => {
  await said("combo", readFileSync(COMBO));
  const { token: other } = await ask<{ token: string }>("tokens", { role: "moderator", name: "rules-moderator", expires_in: 600_000 });
  const { page, leave } = await visit(browser, { stranger: true, hash: `token=${other}&channel=seaside` });
  await shown(page);
  await page.locator("#moderate").waitFor();
  await says(page, "#rules", /combo.*added while running/s);
  assert.ok(await page.locator("#add-rule").isHidden());
  assert.equal(await page.locator(".remove").count(), 0);
  await leave();
  await remove("combo");
});

test("a rule is added and removed with the keyboard alone", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside", viewport: { width: 360, height: 740 } });
  await shown(page);
  await says(page, "#rules", /decay/);
  await page.focus("#rules-list");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const reached: string[] = [];
  for (let step = 0; step < 4; step += 1) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => document.activeElement?.id ?? ""));
  }
  assert.deepEqual(reached, ["rule-file", "rule-slot", "rule-place", "add-rule-button"]);
  await page.setInputFiles("#rule-file", COMBO);
  await page.focus("#add-rule-button");
  await page.keyboard.press("Enter");
  await says(page, "#add-rule-answer", /is live in slot combo/);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "add-rule-button", "the focus was lost");
  await page.locator(".remove").waitFor();
  await page.focus("#rules-list");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await hurry(page);
  await says(page, "#rules", /Press again to remove it/);
  await page.keyboard.press("Enter");
  await says(page, "#rules-answer", /is removed/);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "rules-list");
  await leave();
});

for (const [name, options] of Object.entries<BrowserContextOptions>({
  "desk-light": { colorScheme: "light" },
  "desk-dark": { colorScheme: "dark" },
  "phone-light": { ...PHONE, colorScheme: "light" },
  "phone-dark": { ...PHONE, viewport: { width: 360, height: 740 }, colorScheme: "dark" },
})) {
  test(`${name}: the form keeps nobody out, and nothing of it sticks out`, async () => {
    const { page, leave } = await visit(browser, { hash: "channel=seaside", ...options });
    await open(page);
    await page.setInputFiles("#rule-file", COMBO);
    await page.fill("#rule-slot", "a_slot_with_a_name_of_32_letters");
    await page.click("#add-rule-button");
    await says(page, "#add-rule-answer", /is live in slot a_slot/);
    await page.locator(".remove").waitFor();
    assert.deepEqual(await barriers(page), []);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0);
    for (const id of ["rule-file", "rule-slot", "rule-place", "add-rule-button"]) {
      const beyond = await page.locator(`#${id}`).evaluate((it) => it.getBoundingClientRect().right - innerWidth);
      assert.ok(beyond <= 0, `${id} sticks out by ${beyond}`);
    }
    await page.locator("#ruled").screenshot({ path: join(given("HEAT_SHOTS"), `rules-${name}.png`) });
    await page.click(".remove");
    await page.click(".remove");
    await says(page, "#rules-answer", /is removed/);
    await leave();
  });
}
