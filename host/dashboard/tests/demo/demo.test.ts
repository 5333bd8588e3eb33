/** The link that `cargo xtask demo` prints: one click shows a graph that moves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { given, says, shoot, shown, start, text, until, visit } from "../browser/stage.ts";

/** From the click to a graph with chat in it, in milliseconds: some seconds, on slow machines too. */
const SOON = 15_000;

test("the link of the demo shows chat of several channels, emotes, heat and rules, and all of it moves", async () => {
  const browser = await start();
  const begun = Date.now();
  const { page, leave } = await visit(browser, { stranger: true, hash: given("HEAT_VIEW") });
  await shown(page);
  await until("messages of some minutes", async () => /messages \d{3,}|messages \d,\d/.test((await page.getAttribute("#graph", "aria-label")) ?? ""));
  const took = Date.now() - begun;
  assert.ok(took < SOON, `the graph was there after ${took} ms`);
  assert.doesNotMatch(page.url(), /token/);
  assert.equal(await page.locator("#channel-input").inputValue(), "#seaside");
  assert.deepEqual(await page.locator("#chips .emote").allInnerTexts(), ["PogChamp", "LUL"]);
  const moves = async (): Promise<void> => {
    const [times, readings] = [new Set<string>(), new Set<string>()];
    await until("the graph to move", async () => times.add(await text(page, "#when")).size > 2 && readings.add(await text(page, "#chips .reading")).size > 1);
  };
  await moves();
  const heats = new Set<string>();
  await until("the heat to rise", async () => heats.add(await text(page, "#value")).size > 2 && /^\d+$/.test(await text(page, "#value")));
  await says(page, "#rules", /fave.*multiplier.*decay/s);
  await says(page, "#pill", /all connected/);
  await says(page, "#emotes", /Kappa/);
  await shoot(page, "demo");
  await page.focus("#channel-input");
  for (const channel of ["seaside", "harbour", "lagoon"]) await says(page, "#channel-input-list", new RegExp(`#${channel}`));
  await page.keyboard.type("lag");
  await page.keyboard.press("Enter");
  await until("the other channel", async () => page.url().includes("channel=lagoon"));
  await moves();
  await says(page, "#rules", /no rules/);
  await leave();
  await browser.close();
});
