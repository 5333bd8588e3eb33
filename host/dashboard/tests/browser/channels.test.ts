/** The user story: somebody opens the page, picks channels and emotes, and sees how often they are used, from one second to one hour. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { counted, most, played, type Channel } from "./played.ts";
import { ask, barriers, hurry, says, shoot, shown, start, text, until, visit } from "./stage.ts";

let browser: Browser;
before(async () => (browser = await start()));
after(() => browser.close());

const INTERVALS: [string, number][] = [["1s", 1], ["5s", 5], ["30s", 30], ["1m", 60], ["5m", 300], ["1h", 3600]];

/** How late a line may be under load, and how far ahead of this clock heatd's bins may be, in milliseconds. */
const LATE = 3000;

interface Table {
  of: string[];
  /** The start of each bin with its values; null: not known. */
  rows: { at: number; values: (number | null)[] }[];
}

async function table(page: Page): Promise<Table> {
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 10_000 }), page.click("#csv")]);
  const [head, ...lines] = readFileSync(await download.path(), "utf8").trim().split("\r\n").map((it) => it.split(","));
  // The number is no count, and other tests look at it.
  const counts = (head ?? []).flatMap((of, place) => (place < 2 || of.startsWith("output:") ? [] : [{ of, place }]));
  const value = (text: string | undefined): number | null => (text ? Number(text) : null);
  const rows = lines.map((line) => ({ at: Number(line[1]), values: counts.map(({ place }) => value(line[place])) }));
  return { of: counts.map(({ of }) => of), rows };
}

/** Waits until the table has what was said, bin by bin; returns how much that is, by series. */
async function hasWhatWasSaid(page: Page, channel: Channel, interval: string, of: string[]): Promise<number[]> {
  const width = (INTERVALS.find(([name]) => name === interval)?.[1] ?? 0) * 1000;
  const begun = Date.now();
  const first = Math.min(...channel.messages.map((it) => it.at));
  return until(`the ${interval} of #${channel.name} to be what was said`, async () => {
    const { of: shown, rows } = await table(page);
    assert.deepEqual(shown, of);
    const end = Date.now();
    const sums = of.map(() => 0);
    for (const { at, values } of rows) {
      for (const [place, series] of of.entries()) {
        const value = values[place] ?? null;
        const [least, greatest] = [Math.min(at + width, begun - LATE), Math.min(at + width, end + 1000)].map((to) => counted(channel, series, at, to));
        const unknown = value === null && (at + width > begun - LATE || at + width <= first);
        if (unknown) continue;
        const fits = value !== null && value >= (least ?? 0) && value <= (greatest ?? 0);
        if (!fits) throw new Error(`${series} at ${new Date(at).toISOString()} is ${value}, and ${least} to ${greatest} were said`);
        sums[place] = (sums[place] ?? 0) + (value ?? 0);
      }
    }
    return sums;
  });
}

async function pick(page: Page, field: string, typed: string, wanted: string): Promise<void> {
  await page.fill(`#${field}-input`, typed);
  // One is marked once the list is that of what was typed; until then it may change under the pointer.
  await page.locator(`#${field}-input-list [aria-selected="true"]`).waitFor();
  await page.locator(`#${field}-input-list`).getByText(wanted, { exact: true }).first().click();
}

const nameOf = (series: string): string => series.split(":").slice(2).join(":");
const when = (page: Page): Promise<string> => says(page, "#when", /–/);
const seen = (page: Page): Promise<string> => text(page, "#chips .reading");
const hashOf = (page: Page): string => page.url().split("#")[1] ?? "";

test("somebody picks a channel and two emotes, and sees them from a second to an hour, live, scrolled back, zoomed and shared", async () => {
  const channels = played();
  const [first, second, third] = channels;
  assert.ok(first && second && third, "three channels are played at once");
  const of = ["messages", ...most(first, "twitch", Date.now()).slice(0, 2)];
  const { page, leave } = await visit(browser);
  await shown(page);
  await pick(page, "channel", first.name.slice(1, 4), `#${first.name}`);
  await until("the channel in the address", async () => page.url().includes(`channel=${first.name}`));
  for (const emote of of.slice(1)) await pick(page, "emote", nameOf(emote).slice(0, 4).toLowerCase(), nameOf(emote));
  await until("both emotes to be shown", async () => (await page.locator("#chips .chip").count()) === 3);

  for (const [interval] of INTERVALS) {
    await page.click(`[data-interval="${interval}"]`);
    const sums = await hasWhatWasSaid(page, first, interval, of);
    assert.ok(sums.every((it) => it > 0) || interval === "1s", `nothing to see: ${sums}`);
  }

  await page.click('[data-interval="1s"]');
  const times = new Set<string>();
  const values = new Set<string>();
  await until("time and values to move", async () => times.add(await when(page)).size > 2 && values.add(await seen(page)).size > 1);

  await page.click("#back");
  await until("a time in the address", async () => /from=\d+&to=\d+/.test(page.url()));
  await hasWhatWasSaid(page, first, "1s", of);
  await hover(page, first);
  await zoom(page);
  const sums = await hasWhatWasSaid(page, first, "1s", of);
  await share(page, sums, first, of);
  await leave();
});

/** By keys and by pointer: under the cursor stands what was said then. */
async function hover(page: Page, channel: Channel): Promise<void> {
  const { from, to } = Object.fromEntries(new URLSearchParams(hashOf(page))) as Record<string, string>;
  // Where somebody has spoken, and nobody will.
  const first = Math.ceil(Number(from) / 1000) * 1000;
  const bins = Array.from({ length: Math.floor((Number(to) - first) / 1000) }, (_, place) => first + place * 1000);
  const spoken = bins.findIndex((at) => counted(channel, "messages", at, at + 1000) > 0);
  assert.ok(spoken >= 0);
  const said = (place: number): string => String(counted(channel, "messages", bins[place] ?? 0, (bins[place] ?? 0) + 1000));
  await page.focus("#graph");
  await page.keyboard.press("Home");
  for (let left = spoken; left > 0; left -= left < 10 ? 1 : 10) await page.keyboard.press(left < 10 ? "ArrowRight" : "Shift+ArrowRight");
  for (const place of [spoken, spoken + 1, spoken + 2]) {
    await until(`${said(place)} under the cursor`, async () => (await seen(page)) === said(place));
    await page.keyboard.press("ArrowRight");
  }
  const box = await page.locator("#graph .u-over").boundingBox();
  assert.ok(box);
  const x = ((bins[spoken] ?? 0) - Number(from)) / (Number(to) - Number(from));
  await page.mouse.move(box.x + box.width * x, box.y + 40);
  await until(`${said(spoken)} under the pointer`, async () => (await seen(page)) === said(spoken));
}

async function zoom(page: Page): Promise<void> {
  const span = (): number => {
    const pairs = new URLSearchParams(hashOf(page));
    return Number(pairs.get("to")) - Number(pairs.get("from"));
  };
  const before = span();
  const box = await page.locator("#graph .u-over").boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * 0.45, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.95, box.y + 70, { steps: 4 });
  await page.mouse.up();
  await until("half of the time", async () => Math.abs(span() / before - 0.5) < 0.05);
}

async function share(page: Page, sums: number[], channel: Channel, of: string[]): Promise<void> {
  await page.mouse.move(5, 5);
  const other = await visit(browser, { hash: hashOf(page) });
  await shown(other.page);
  assert.equal(await when(other.page), await when(page));
  const chips = (it: Page): Promise<string[]> => it.locator("#chips .emote, #chips .chip").allInnerTexts();
  await until("the same chips", async () => JSON.stringify(await chips(other.page)) === JSON.stringify(await chips(page)));
  assert.equal(await other.page.locator("#channel-input").inputValue(), `#${channel.name}`);
  assert.deepEqual(await hasWhatWasSaid(other.page, channel, "1s", of), sums);
  await other.leave();
}

test("several channels stand in one graph, and each has what was said there", async () => {
  const [first, second] = played();
  assert.ok(first && second);
  const { page, leave } = await visit(browser, { hash: `channel=${first.name}&interval=1m` });
  await shown(page);
  await pick(page, "emote", `#${second.name.slice(0, 4)}`, `#${second.name} messages`);
  await until("the other channel in the address", async () => decodeURIComponent(page.url()).includes(`of=${second.name}/messages`));
  const minute = 60_000;
  const now = Date.now();
  await until("both to be what was said", async () => {
    const { of, rows } = await table(page);
    if (of.join() !== `messages,${second.name}/messages`) throw new Error(of.join());
    const past = rows.filter(({ at }) => at >= now - 20 * minute && at + minute < now - LATE);
    const wrong = past.filter(({ at, values }) => [first, second].some((channel, place) => (values[place] ?? 0) !== counted(channel, "messages", at, at + minute)));
    if (past.length < 10 || wrong.length > 0) throw new Error(`of ${past.length} minutes ${wrong.length} are wrong: ${JSON.stringify(wrong[0])}`);
    return true;
  });
  const chip = `#chips .chip:has-text("#${second.name}") .reading`;
  const seen = new Set<string>();
  await page.click('[data-interval="1s"]');
  await until("the other channel to go on", async () => seen.add(await text(page, chip)).size > 2);
  await shoot(page, "channels", false);
  await leave();
});

test("other channels have other numbers at the same time, with emotes of 7TV among them, on a phone too", async () => {
  const [, second, third] = played();
  assert.ok(second && third);
  const { page, leave } = await visit(browser, { hash: `channel=${second.name}&interval=1m` });
  await shown(page);
  await hasWhatWasSaid(page, second, "1m", ["messages"]);
  await pick(page, "channel", third.name, `#${third.name}`);
  await until("the other channel", async () => page.url().includes(`channel=${third.name}`));
  const emote = [...most(third, "7tv", Date.now()), ...most(third, "twitch", Date.now())][0];
  assert.ok(emote);
  await pick(page, "emote", nameOf(emote), nameOf(emote));
  const [, uses] = await hasWhatWasSaid(page, third, "1m", ["messages", emote]);
  assert.ok((uses ?? 0) > 0);
  await page.selectOption("#list", "least");
  const { emotes } = await ask<{ emotes: { name: string }[] }>(`channels/${third.name}/emotes?order=least&count=1&from=${Date.now() - 86_000_000}`);
  await says(page, "#emotes", new RegExp((emotes[0]?.name ?? "nothing").replace(/[^\w]/g, "."), "s"));
  await page.click("text=Copy link");
  const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const small = await visit(browser, { hash: hashOf(page), ...phone });
  await shown(small.page);
  await hasWhatWasSaid(small.page, third, "1m", ["messages", emote]);
  assert.equal(await small.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  assert.deepEqual(await barriers(small.page), []);
  await shoot(small.page, "story-phone", false);
  await small.leave();
  await leave();
});

test("a moderator sets the heat, sees the level that it crossed, and takes back what somebody did after a look at it", async () => {
  const [first] = played();
  assert.ok(first);
  const { page, leave } = await visit(browser, { hash: `channel=${first.name}&interval=1s` });
  await shown(page);
  const fave = { event: { kind: "chat", user: "storyteller", text: "?fave this very song" }, live: true };
  await ask(`channels/${first.name}/simulate`, fave);
  await hurry(page);
  await says(page, "#items", /this very song/);
  await page.click('#orders >> text="?heat set 50"');
  await page.keyboard.type("40");
  await page.keyboard.press("Enter");
  await says(page, ".answer", /Done/);
  await until("the heat to be set", async () => Number(await text(page, "#value")) > 30);
  await says(page, "#also", /on fire/);
  await page.focus("#level");
  await until("the level that was crossed", async () => {
    await page.keyboard.press("End");
    for (let step = 0; step < 25; step += 1) {
      if ((await text(page, "#when")).includes("up to on fire")) return true;
      await page.keyboard.press("ArrowLeft");
    }
    return false;
  });
  assert.deepEqual(await barriers(page), []);
  await shoot(page, "story");
  await page.fill("#who", "storyteller");
  await page.click("text=Preview");
  await says(page, "#preview", /take back \d+ faves? in \d+ events? of storyteller/);
  await says(page, "#items", /this very song/);
  await page.click("text=Take it back");
  await says(page, "#preview .done", /./);
  const { items } = await ask<{ items: { item: string }[] }>(`channels/${first.name}/faves?count=100`);
  assert.ok(!items.some((it) => it.item === "this very song"), "it is still counted");
  await leave();
});
