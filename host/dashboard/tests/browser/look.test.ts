import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { barriers, says, shoot, shown, start, text, until, visit } from "./stage.ts";

let browser: Browser;
before(async () => (browser = await start()));
after(() => browser.close());

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const EMOTES = "channel=seaside&of=messages&of=emote:twitch:Kappa&of=emote:twitch:LUL&of=emote:twitch:PogChamp";

const ground = (page: Page): Promise<string> => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

/** Everything is there that comes by itself. */
async function settled(page: Page): Promise<void> {
  await shown(page);
  for (const list of ["#emotes", "#people", "#rules", "#states"]) await says(page, list, /\d/);
  await page.locator("#undo").waitFor();
}

for (const [name, options] of Object.entries<BrowserContextOptions>({
  "desk-light": { colorScheme: "light" },
  "desk-dark": { colorScheme: "dark" },
  "phone-light": { ...PHONE, colorScheme: "light" },
  "phone-dark": { ...PHONE, colorScheme: "dark" },
})) {
  test(`${name}: nothing keeps anybody out, and nothing sticks out`, async () => {
    const { page, leave } = await visit(browser, { hash: EMOTES, ...options });
    await settled(page);
    await until("pictures of the emotes of the link", async () => {
      const count = await page.locator("#chips .picture img").count();
      if (count !== 3) throw new Error(await page.locator("#chips").innerHTML());
      return true;
    });
    await page.click("#ask-why:enabled");
    await says(page, "#causes", /→/);
    await says(page, "#rate", /\d/);
    assert.deepEqual(await barriers(page), []);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0);
    await shoot(page, name);
    await page.focus("#emote-input");
    await says(page, "#emote-input-list", /BibleThump/);
    assert.deepEqual(await barriers(page), []);
    const beyond = await page.locator("#emote-input-list").evaluate((it) => it.getBoundingClientRect().right - innerWidth);
    assert.ok(beyond <= 0, `the suggestions stick out by ${beyond}`);
    await shoot(page, `${name}-suggestions`, false);
    await leave();
  });
}

test("dark and light are as the system has them, or as the switch says, which is remembered", async () => {
  const dark = await visit(browser, { hash: "channel=quiet", colorScheme: "dark" });
  const light = await visit(browser, { hash: "channel=quiet", colorScheme: "light" });
  const [night, day] = [await ground(dark.page), await ground(light.page)];
  assert.notEqual(night, day);
  await shown(light.page);
  await light.page.click(".menu summary");
  await light.page.click("#theme");
  await light.page.click("#theme");
  assert.equal(await text(light.page, "#theme"), "Theme: dark");
  assert.equal(await ground(light.page), night);
  await light.page.reload();
  await shown(light.page);
  assert.equal(await ground(light.page), night);
  await Promise.all([dark.leave(), light.leave()]);
});

test("pictures can be turned off, and then nobody else is asked for anything", async () => {
  const { page, pictures, leave } = await visit(browser, { hash: EMOTES });
  await until("pictures", async () => pictures.length > 0);
  assert.ok(pictures.every((it) => it.startsWith("https://static-cdn.jtvnw.net/emoticons/v2/")), pictures.join());
  await page.click(".menu summary");
  await page.click("#pictures");
  assert.equal(await page.getAttribute("#pictures", "aria-pressed"), "false");
  await page.reload();
  pictures.length = 0;
  await settled(page);
  assert.equal(await page.locator(".picture").count(), 0);
  assert.deepEqual(pictures, []);
  await leave();
});

test("the page is used with the keyboard alone", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await settled(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "graph");
  assert.match(page.url(), /channel=seaside/);
  const reached = new Set<string>();
  for (let step = 0; step < 120; step += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || ""));
  }
  for (const id of ["who", "since", "ask-why", "channel-input", "link", "csv", "level", "emote-input"]) assert.ok(reached.has(id), `${id} cannot be reached: ${[...reached]}`);
  await leave();
});

test("on a phone moderation comes before the graph, and nothing speaks of keys", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside", ...PHONE });
  await settled(page);
  const top = async (selector: string): Promise<number> => (await page.locator(selector).boundingBox())?.y ?? 0;
  assert.ok((await top("#moderate")) < (await top("#graph-card")), "moderation is below the graph");
  assert.ok((await top("#moderate")) > (await top("#value")), "moderation is above the number");
  const isBefore = await page.evaluate(() => {
    const [moderate, graph] = ["moderate", "graph-card"].map((id) => document.getElementById(id));
    return Boolean(moderate && graph && moderate.compareDocumentPosition(graph) & Node.DOCUMENT_POSITION_FOLLOWING);
  });
  assert.ok(isBefore, "a screen reader meets it later than an eye does");
  assert.ok(await page.locator("#hint").isHidden());
  assert.doesNotMatch((await page.getAttribute("#graph", "aria-label")) ?? "", /key/);
  const looks = (selector: string): Promise<string> =>
    page.locator(selector).first().evaluate((it) => `${getComputedStyle(it).backgroundColor} ${getComputedStyle(it).borderStyle}`);
  assert.notEqual(await looks("#orders .act"), await looks("#orders .fill"));
  await shoot(page, "phone-top", false);
  await leave();
});

test("both columns below the lists end at the same height", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await settled(page);
  const ends = await page.locator("#left > .card, #right > .card:last-child").evaluateAll((all) => all.map((it) => it.getBoundingClientRect().bottom));
  assert.equal(ends.length, 2);
  assert.ok(Math.abs((ends[0] ?? 0) - (ends[1] ?? 0)) < 2, `there is a hole below one of them: ${ends}`);
  await page.click("#ask-why:enabled");
  await says(page, "#causes", /→/);
  const moderation = await page.locator("#moderate").boundingBox();
  const after = await page.locator("#chat").boundingBox();
  const between = (after?.y ?? 0) - ((moderation?.y ?? 0) + (moderation?.height ?? 0));
  assert.ok(between < 30, `${between} pixels are empty below moderation`);
  await leave();
});

test("nothing jumps while numbers change", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside&interval=1s" });
  await settled(page);
  const shift = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
        }).observe({ type: "layout-shift" });
        setTimeout(() => resolve(sum), 4000);
      }),
  );
  assert.ok(shift < 0.02, `things have moved by ${shift}`);
  await leave();
});
