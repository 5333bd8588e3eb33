import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ask, barriers, hurry, says, shoot, shown, start, text, until, visit } from "./stage.ts";

let browser: Browser;
before(async () => (browser = await start()));
after(() => browser.close());

interface Line {
  text: string;
  person: { login: string; name: string } | null;
}

async function lines(query: string): Promise<Line[]> {
  return (await ask<{ messages: Line[] }>(`history/messages?channel=seaside&${query}`)).messages;
}

const rows = (page: Page): Promise<string[]> => page.locator("#lines li").allInnerTexts();

test("the last lines are there at once, and new ones come", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await shown(page);
  await until("as many lines as there are", async () => (await rows(page)).length === (await lines("count=30")).length);
  const newest = (await rows(page))[0];
  await until("a new line", async () => {
    await hurry(page);
    return (await rows(page))[0] !== newest;
  });
  assert.deepEqual(await barriers(page), []);
  await page.locator("#chat").scrollIntoViewIfNeeded();
  await shoot(page, "said", false);
  await leave();
});

test("what one person said is found, and what nobody said is not", async () => {
  const [line] = await lines("kind=chat&count=1");
  assert.ok(line?.person);
  const { login, name } = line.person;
  const { page, leave } = await visit(browser, { hash: "channel=seaside", expected: /404/ });
  await shown(page);
  await page.fill("#search-who", `@${login}`);
  await page.selectOption("#search-kind", { label: "chat" });
  await page.click("#search >> text=Search");
  await says(page, "#search-answer", /^\d+ lines? found; /);
  const found = await rows(page);
  assert.ok(found.length > 0);
  for (const row of found) assert.ok(row.includes(name || login), row);
  await page.fill("#search-text", "what nobody in this chat has ever said");
  await page.keyboard.press("Enter");
  await says(page, "#search-answer", /^Nothing was found; that is all\.$/);
  await page.fill("#search-who", "nobodyofthisname");
  await page.keyboard.press("Enter");
  await says(page, "#search-answer", /nobodyofthisname/);
  await page.click("#search >> text=Last lines");
  await until("the last lines", async () => (await rows(page)).length > 1);
  assert.equal(await text(page, "#search-answer"), "");
  assert.equal(await page.inputValue("#search-who"), "");
  await leave();
});

test("a search longer than a page goes on when it is asked to", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await shown(page);
  await page.click("#search >> text=Search");
  await says(page, "#search-answer", /^50 lines found; there may be more\.$/);
  await page.click("#older");
  await until("the next lines", async () => (await rows(page)).length > 50);
  await leave();
});
