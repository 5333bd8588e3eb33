import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { barriers, says, shown, start, visit } from "./stage.ts";

let browser: Browser;
before(async () => (browser = await start()));
after(() => browser.close());

const ACCOUNT = {
  login: "seaside",
  bot: false,
  state: "logged-out",
  problem: "Nobody is logged in as seaside: heat login --channel seaside",
  features: [{ name: "follows", why: "hears who follows the channel", scopes: ["moderator:read:followers"], covered: false }],
  eventsub: null as unknown,
  begun: null as unknown,
};

/** A heatd whose account somebody logs in to. The shapes of its answers are held by heatd's own tests. */
async function twitch(page: Page, hasClient: boolean): Promise<{ asked: unknown[]; agree: () => void }> {
  const asked: unknown[] = [];
  const begun = { login: "seaside", address: "https://www.twitch.tv/activate?device-code=ABCDEFGH", code: "ABCDEFGH", expires_at: Date.now() + 1_800_000, state: "waiting", problem: null };
  let now = { ...ACCOUNT };
  await page.route("**/api/v1/accounts", (route) => route.fulfill({ json: { has_client_id: hasClient || asked.length > 0, accounts: [now] } }));
  await page.route("**/api/v1/accounts/seaside/login", (route) => {
    asked.push(route.request().postDataJSON());
    now = { ...now, begun };
    return route.fulfill({ json: begun });
  });
  const agree = (): void => {
    now = {
      ...now,
      state: "logged-in",
      problem: null as unknown as string,
      features: [{ ...ACCOUNT.features[0]!, covered: true }],
      eventsub: { connected: true, hears: ["channel.follow"], refused: {}, problem: null },
      begun: { ...begun, state: "done" },
    };
  };
  return { asked, agree };
}

test("an owner logs in from the page, and sees it done", async () => {
  let twitched: Awaited<ReturnType<typeof twitch>> | undefined;
  const { page, leave } = await visit(browser, { hash: "channel=seaside", before: async (page) => void (twitched = await twitch(page, true)) });
  await shown(page);
  await says(page, "#account-list", /seaside: not logged in/);
  assert.equal(await page.locator("#client").isVisible(), false);
  await page.locator("#account-list button").click();
  await says(page, "#account-list", /compare the code there: ABCDEFGH/);
  const link = page.locator("#account-list a");
  assert.equal(await link.getAttribute("href"), "https://www.twitch.tv/activate?device-code=ABCDEFGH");
  assert.match((await link.getAttribute("rel")) ?? "", /noopener/);
  assert.deepEqual(await barriers(page), []);
  twitched?.agree();
  await says(page, "#account-list", /logged in, hears 1 kind of events/);
  assert.equal(await page.locator("#account-list button").count(), 0);
  assert.deepEqual(twitched?.asked, [{ client_id: null }]);
  await leave();
});

test("without a client id the page asks for one", async () => {
  let twitched: Awaited<ReturnType<typeof twitch>> | undefined;
  const { page, leave } = await visit(browser, { hash: "channel=seaside", before: async (page) => void (twitched = await twitch(page, false)) });
  await shown(page);
  await says(page, "#account-list", /seaside: not logged in/);
  await page.locator("#account-list button").click();
  await says(page, "#account-answer", /client id/);
  assert.deepEqual(twitched?.asked, []);
  await page.fill("#client-id", "abc123");
  await page.locator("#account-list button").click();
  await says(page, "#account-list", /ABCDEFGH/);
  assert.deepEqual(twitched?.asked, [{ client_id: "abc123" }]);
  await leave();
});
