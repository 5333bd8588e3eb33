import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { barriers, says, shoot, shown, start, text, until, visit } from "./stage.ts";

let browser: Browser;
before(async () => (browser = await start()));
after(() => browser.close());

/** As in host/xtask/src/page/stage.rs. */
const NAMES = [
  "<img src=x onerror=alert(1)>",
  "<script>alert(2)</script>",
  "\"><b onclick='alert(3)'>bold</b>",
  "a/b\\c",
  "100%25%00%zz",
  "javascript:alert(4)",
  "&lt;i&gt;&amp;",
];

test("names that try to be something else are names", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=hostile" });
  await shown(page);
  for (const list of ["#emotes", "#items", "#people"]) {
    for (const name of NAMES) await until(`${name} in ${list}`, async () => (await text(page, list)).includes(name));
  }
  await page.click("#ask-why:enabled");
  await says(page, "#causes", /hostile_\d/);
  const made = await page.locator("#page script, #page b, #page img[src='x'], #page [onclick], #page [onerror]").count();
  assert.equal(made, 0);
  // A mark that turns the text around stays within the name.
  const turned = await page.locator("#emotes bdi", { hasText: "drawkcab" }).count();
  assert.equal(turned, 1);
  assert.deepEqual(await barriers(page), []);
  await shoot(page, "hostile");
  await leave();
});

test("such an emote is found, shown, left out, and kept in a link", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=hostile" });
  await shown(page);
  for (const name of NAMES) {
    await page.fill("#emote-input", name);
    await until(`${name} to be suggested`, async () => (await text(page, "#emote-input-list li")).includes(name));
    assert.equal(await page.locator("#emote-input-list img[src='x'], #emote-input-list b, #emote-input-list script").count(), 0);
    await page.keyboard.press("Enter");
    await until(`${name} as a chip`, async () => (await text(page, "#chips")).includes(name));
  }
  const other = await visit(browser, { hash: page.url().split("#")[1] ?? "" });
  await shown(other.page);
  for (const name of NAMES) assert.ok((await text(other.page, "#chips")).includes(name), name);
  await until("counts of them", async () => Number((await other.page.locator("#chips .reading").allInnerTexts())[1]) > 0);
  await other.page.locator('.less[aria-label="Remove <img src=x onerror=alert(1)>"]').click();
  assert.ok(!(await text(other.page, "#chips")).includes("<img"));
  await other.leave();
  await leave();
});
