import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { barriers, base, hurry, says, shoot, shown, start, token, until, visit } from "./stage.ts";

let browser: Browser;
before(async () => (browser = await start()));
after(() => browser.close());

test("a stranger is asked for the token, told where it is, and let in with the right one", async () => {
  const { page, leave } = await visit(browser, { stranger: true, hash: "channel=quiet", expected: /401/ });
  await says(page, "#where", /api\.token.*heat token new/s);
  assert.deepEqual(await barriers(page), []);
  await shoot(page, "door");
  await page.fill("#token", "wrong");
  await page.keyboard.press("Enter");
  await says(page, "#refused", /the token is wrong/);
  await page.fill("#token", token);
  await page.click("text=Open");
  await shown(page);
  assert.match(page.url(), /channel=quiet/);
  assert.equal(await page.locator("#channel-input").inputValue(), "#quiet");
  await leave();
});

test("the token of a link leaves the address bar and the history, and is kept for this tab alone until that is wished otherwise", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=seaside" });
  await shown(page);
  assert.doesNotMatch(page.url(), /token/);
  const stores = (): Promise<[string | null, string | null]> =>
    page.evaluate(() => [sessionStorage.getItem("heat-token"), localStorage.getItem("heat-token")]);
  assert.deepEqual(await stores(), [token, null]);
  await page.reload();
  await shown(page);
  await page.click(".menu summary");
  await page.click("#remember");
  assert.deepEqual(await stores(), [null, token]);
  await page.click("#leave");
  await says(page, "#where", /api\.token/);
  assert.deepEqual(await stores(), [null, null]);
  await leave();
});

test("the page comes compressed, with a policy that lets nothing in, and its files are kept", async () => {
  const index = await fetch(`${base}/`, { headers: { "Accept-Encoding": "br" } });
  const policy = index.headers.get("content-security-policy") ?? "";
  assert.match(policy, /^default-src 'self'; img-src 'self' https:/);
  assert.doesNotMatch(policy, /unsafe|\*|data:/);
  assert.equal(index.headers.get("content-encoding"), "br");
  assert.equal(index.headers.get("cache-control"), "no-cache");
  const html = await index.text();
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/i);
  const assets = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map((it) => it[1] ?? "");
  assert.equal(assets.length, 2, html);
  for (const path of assets) {
    const asset = await fetch(`${base}/${path}`, { headers: { "Accept-Encoding": "gzip" } });
    assert.match(asset.headers.get("cache-control") ?? "", /immutable/);
    assert.equal(asset.headers.get("content-encoding"), "gzip");
    const again = await fetch(`${base}/${path}`, { headers: { "Accept-Encoding": "gzip", "If-None-Match": asset.headers.get("etag") ?? "" } });
    assert.equal(again.status, 304);
  }
});

test("a heatd that does not answer any more is said to", async () => {
  const { page, leave } = await visit(browser, { hash: "channel=quiet", expected: /ERR_FAILED/ });
  await says(page, "#pill", /all connected/);
  await page.route("**/api/v1/status", (route) => route.abort());
  await hurry(page);
  await says(page, "#pill", /does not answer/);
  await says(page, "#states", /is it running/);
  await page.unroute("**/api/v1/status");
  await hurry(page);
  await says(page, "#pill", /all connected/);
  await leave();
});

test("what is wrong with heatd's connections is said in words", async () => {
  const { page, leave } = await visit(browser, {
    hash: "channel=quiet",
    before: async (page) => {
      await page.route("**/api/v1/status", async (route) => {
        const answer = await route.fetch();
        const status = (await answer.json()) as Record<string, unknown>;
        const connections = { chat: { wanted: 2, up: 1 }, mqtt: { up: false } };
        const engine = "the engine has been at one step for 42 s; is the disk in order?";
        const reasons = ["chat is not connected", "the MQTT broker is not connected", engine];
        const backup = { at: null, problem: "the folder for backups is full" };
        await route.fulfill({ response: answer, json: { ...status, ready: false, reasons, connections, backup } });
      });
    },
  });
  await says(page, "#pill", /chat is not connected; the MQTT broker is not connected/);
  await says(page, "#states", /1 of 2 connections.*the text on the stream stands still.*one step for 42 s; is the disk.*backups is full/s);
  await until("the state to be marked", async () => (await page.locator('#states [data-state="bad"]').count()) === 5);
  assert.deepEqual(await barriers(page), []);
  await leave();
});
