import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ask, hurry, says, shoot, shown, start, text, until, visit } from "./stage.ts";

let browser: Browser;
before(async () => (browser = await start()));
after(() => browser.close());

interface Series {
  series: { of: string; points: number[][] }[];
}

const MINUTE = 60_000;

/** A range in which nothing changes any more, in whole minutes. */
function past(): { from: number; to: number } {
  const to = Math.floor(Date.now() / MINUTE) * MINUTE - 5 * MINUTE;
  return { from: to - 10 * MINUTE, to };
}

async function chips(page: Page): Promise<string[]> {
  return page.locator("#chips .chip").evaluateAll((all) => all.map((it) => it.childNodes[1]?.textContent ?? ""));
}

test("emotes are found by a part of their name, and several are shown at once", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await shown(page);
  for (const [typed, name] of [["kap", "Kappa"], ["LU", "LUL"]] as const) {
    await page.fill("#emote-input", typed);
    await until(`${name} to be suggested`, async () => (await text(page, "#emote-input-list")).includes(name));
    await page.keyboard.press("Enter");
    await until(`${name} to be shown`, async () => (await chips(page)).includes(name));
  }
  assert.deepEqual(await chips(page), ["messages", "Kappa", "LUL"]);
  assert.match(page.url(), /of=messages&of=emote%3Atwitch%3AKappa&of=emote%3Atwitch%3ALUL/);
  await page.fill("#emote-input", "nosuchemote");
  await says(page, "#emote-input-list", /no emote/);
  await page.keyboard.press("Escape");
  await page.click('[aria-label="Remove Kappa"]');
  assert.deepEqual(await chips(page), ["messages", "LUL"]);
  await leave();
});

test("another channel has emotes of its own", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside&of=messages&of=emote:twitch:Kappa" });
  await shown(page);
  await page.fill("#channel-input", "quie");
  await says(page, "#channel-input-list", /#quiet/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until("the channel in the address", async () => page.url().includes("channel=quiet"));
  assert.deepEqual(await chips(page), ["messages"]);
  await page.focus("#emote-input");
  await until("only what every channel has", async () => /^messages\s+faves$|^faves$/.test(await text(page, "#emote-input-list")));
  await says(page, "#graph .nothing", /Nothing was counted/);
  await says(page, "#items", /nothing was faved/);
  await leave();
});

test("a channel that heatd joins is found without a reload, and one that it leaves is read all the same", async () => {
  let here = ["seaside", "hostile"];
  const { page, leave } = await visit(browser, {
    before: async (page) => {
      await page.route("**/api/v1/status", async (route) => {
        const answer = await route.fetch();
        const status = (await answer.json()) as { channels: { name: string }[] };
        await route.fulfill({ response: answer, json: { ...status, channels: status.channels.filter((it) => here.includes(it.name)) } });
      });
    },
  });
  await shown(page);
  assert.equal(await page.locator("#channel-input").inputValue(), "#seaside");
  here = ["seaside", "quiet"];
  await Promise.all([page.waitForResponse("**/api/v1/status"), hurry(page)]);
  await page.fill("#channel-input", "qui");
  await says(page, "#channel-input-list", /#quiet/);
  await page.fill("#channel-input", "host");
  await says(page, "#channel-input-list", /#hostile\s+heatd has left it/);
  await page.keyboard.press("Enter");
  await until("the channel that was left", async () => page.url().includes("channel=hostile"));
  await until("its messages", async () => Number((await text(page, "#chips .reading")).replace(",", "")) > 0);
  await leave();
});

test("each interval asks for bins of its width", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside&interval=5s" });
  await shown(page);
  for (const interval of ["1s", "30s", "1m", "5m", "1h", "5s"]) {
    const asked = page.waitForRequest((it) => it.url().includes("/series?") && it.url().includes(`interval=${interval}`));
    await page.click(`[data-interval="${interval}"]`);
    await asked;
    assert.equal(await page.locator('#intervals [aria-pressed="true"]').innerText(), interval);
    assert.ok((await contrast(page, `[data-interval="${interval}"]`)) > 4.5, "the chosen interval is unreadable under the pointer");
  }
  await leave();
});

test("the graph goes on by itself, and every second where bins are that wide", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside&interval=1s" });
  await shown(page);
  const seen = new Set<string>();
  await until("the time to move on", async () => seen.add(await text(page, "#when")).size > 3);
  const values = new Set<string>();
  await until("the newest value to change", async () => values.add(await text(page, "#chips .reading")).size > 2);
  await until("a rate", async () => Number(await text(page, "#rate")) > 0.5);
  await until("how many people spoke in a second", async () => {
    const box = await page.locator("#graph .u-over").boundingBox();
    await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) - 12, (box?.y ?? 0) + 40);
    return /^\d+ (person|people)$/.test(await text(page, "#chips .people"));
  });
  await leave();
});

test("the table has exactly what heatd has counted in the time that is shown", async () => {
  const { from, to } = past();
  const of = ["messages", "emote:twitch:Kappa"];
  const query = new URLSearchParams([["interval", "30s"], ["from", `${from}`], ["to", `${to}`], ...of.map((it) => ["of", it])]);
  const { page, leave } = await visit(browser, { hash: `channel=seaside&${query}` });
  await shown(page);
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 10_000 }), page.click("#csv")]);
  const lines = readFileSync(await download.path(), "utf8").trim().split("\r\n").map((it) => it.split(","));
  assert.deepEqual(lines[0]?.slice(0, 4), ["time", "at_ms", ...of]);
  assert.equal(lines.length, 21);
  const { series } = await ask<Series>(`channels/seaside/series?${query}`);
  for (const [place, one] of series.entries()) {
    const counted = new Map(one.points.map(([at, count]) => [String(at), String(count)]));
    for (const line of lines.slice(1)) assert.equal(line[place + 2], counted.get(line[1] ?? "") ?? "0");
  }
  assert.ok((series[0]?.points.length ?? 0) === 20);
  await leave();
});

test("dragging zooms, the way back leads back, and a link shows the same to somebody else", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside&interval=30s&of=messages&of=emote:twitch:LUL" });
  await shown(page);
  await says(page, "#when", /–/);
  const box = await page.locator("#graph .u-over").boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * 0.6, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + 60, { steps: 5 });
  await page.mouse.up();
  await until("the range in the address", async () => /from=\d+&to=\d+/.test(page.url()));
  const { from, to } = Object.fromEntries(new URLSearchParams(page.url().split("#")[1])) as Record<string, string>;
  const minutes = (Number(to) - Number(from)) / MINUTE;
  assert.ok(minutes > 9 && minutes < 15, `a fifth of an hour is ${minutes} minutes`);
  assert.equal(await page.getAttribute("#now", "aria-pressed"), "false");
  for (const graph of ["#graph", "#level"]) {
    const left = await page.locator(`${graph} .u-select`).evaluate((it) => it.getBoundingClientRect().width);
    assert.equal(left, 0, `${graph} keeps its selection`);
  }
  await page.mouse.move(10, 10);
  assert.match(await text(page, "#when"), /^\d{1,2} [A-Z][a-z]{2}, [\d:]+ – /);
  const when = await says(page, "#when", /–/);

  const other = await visit(browser, { hash: page.url().split("#")[1] ?? "" });
  await shown(other.page);
  assert.equal(await says(other.page, "#when", /–/), when);
  assert.deepEqual(await chips(other.page), ["messages", "LUL"]);
  assert.equal(await other.page.locator('#intervals [aria-pressed="true"]').innerText(), "30s");
  await other.leave();

  await page.click("#back");
  await until("another time", async () => (await text(page, "#when")) !== when);
  await page.goBack();
  await until("the same time", async () => (await text(page, "#when")) === when);
  await page.click("#now");
  await until("live again", async () => !page.url().includes("from="));
  await leave();
});

test("under the cursor stands what was counted then, by pointer and by keys", async () => {
  const { from, to } = past();
  const { page, leave } = await visit(browser, { hash: `channel=seaside&interval=1m&of=messages&from=${from}&to=${to}` });
  await shown(page);
  const { series } = await ask<Series>(`channels/seaside/series?of=messages&interval=1m&from=${from}&to=${to}`);
  const counts = (series[0]?.points ?? []).map((it) => String(it[1]));
  await page.focus("#graph");
  await page.keyboard.press("Home");
  for (const count of counts.slice(0, 4)) {
    await until(`${count} messages`, async () => (await text(page, "#chips .reading")).replace(",", "") === count);
    await until("the value to be said", async () => (await page.locator("#said").textContent())?.replace(",", "").includes(`messages ${count}`));
    await page.keyboard.press("ArrowRight");
  }
  await page.keyboard.press("+");
  await until("keys to zoom", async () => !page.url().includes(`from=${from}`));
  await page.goBack();
  const box = await page.locator("#graph .u-over").boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 2, box.y + 40);
  await until("the first value", async () => (await text(page, "#chips .reading")).replace(",", "") === counts[0]);
  await leave();
});

test("a time in which chat was not heard is a gap, and not zero", async () => {
  const { from, to } = past();
  const { page, leave } = await visit(browser, {
    hash: `channel=seaside&interval=1m&of=emote:twitch:nosuch&from=${from}&to=${to}`,
    before: async (page) => {
      await page.route("**/series?*", async (route) => {
        const answer = await route.fetch();
        const series = (await answer.json()) as object;
        await route.fulfill({ response: answer, json: { ...series, gaps: [[from + 2 * MINUTE, from + 4 * MINUTE]] } });
      });
    },
  });
  await shown(page);
  await page.focus("#graph");
  await page.keyboard.press("Home");
  for (const expected of ["0", "0", "–", "–", "0"]) {
    await until(`a ${expected}`, async () => (await text(page, "#chips .reading")) === expected);
    await page.keyboard.press("ArrowRight");
  }
  await shoot(page, "gap", false);
  await leave();
});

/** How much the text of an element differs from what is behind it (WCAG 2). */
async function contrast(page: Page, selector: string): Promise<number> {
  await page.hover(selector);
  return page.locator(selector).evaluate((it) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const pen = canvas.getContext("2d");
    const light = (colour: string): number => {
      if (!pen) return 0;
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      const parts = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
      const [red = 0, green = 0, blue = 0] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const style = getComputedStyle(it);
    const [dark = 0, bright = 0] = [light(style.color), light(style.backgroundColor)].sort((one, other) => one - other);
    return (bright + 0.05) / (dark + 0.05);
  });
}

test("the time before heatd knew a channel is unknown, and not zero", async () => {
  const { from, to } = past();
  const { page, leave } = await visit(browser, {
    hash: `channel=seaside&interval=1m&from=${from}&to=${to}`,
    before: async (page) => {
      await page.route("**/series?*", async (route) => {
        const answer = await route.fetch();
        const series = (await answer.json()) as { known_since: number; series: object[] };
        assert.ok(series.known_since < from, "heatd says since when it knows the channel");
        const json = { ...series, series: series.series.map((it) => ({ ...it, points: [] })), known_since: from + 3 * MINUTE };
        await route.fulfill({ response: answer, json });
      });
    },
  });
  await shown(page);
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 10_000 }), page.click("#csv")]);
  const lines = readFileSync(await download.path(), "utf8").trim().split("\r\n").slice(1);
  assert.deepEqual(lines.slice(0, 5).map((it) => it.split(",")[2]), ["", "", "", "0", "0"]);
  await leave();
});

test("a logarithmic scale shows small numbers beside large ones, and stands in the link", async () => {
  const { from, to } = past();
  const { page, leave } = await visit(browser, { hash: `channel=seaside&interval=30s&of=messages&of=emote:twitch:Kappa&from=${from}&to=${to}` });
  await shown(page);
  const drawn = (): Promise<string> => page.locator("#graph canvas").evaluate((it) => (it as HTMLCanvasElement).toDataURL());
  await page.mouse.move(5, 5);
  const linear = await drawn();
  await page.click("#log");
  assert.match(page.url(), /scale=log/);
  await until("another graph", async () => (await drawn()) !== linear);
  await shoot(page, "log", false);
  await page.click("#log");
  await page.mouse.move(5, 5);
  await until("the graph as it was", async () => (await drawn()) === linear);
  await leave();
});
