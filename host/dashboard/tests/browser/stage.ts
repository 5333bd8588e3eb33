/** The browser before the heatd of `cargo xtask page`, and what every visit is held to: no error, no request to anybody else. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

export function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; cargo xtask page sets it`);
  return value;
}

export const base = given("HEAT_URL");
/** Empty where it stands in the link. */
export const token = process.env["HEAT_TOKEN"] ?? "";

const PICTURES = ["static-cdn.jtvnw.net", "cdn.7tv.app", "cdn.betterttv.net", "cdn.frankerfacez.com"];
const PICTURE =
  '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><circle cx="14" cy="14" r="12" fill="#a78bfa"/><path d="M8 16q6 7 12 0" fill="none" stroke="#fff" stroke-width="2"/></svg>';
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** How long something may take to become true, in milliseconds. */
const PATIENCE = 90_000;

export async function start(): Promise<Browser> {
  return chromium.launch({ executablePath: given("HEAT_BROWSER"), args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

export interface Visit {
  page: Page;
  /** Addresses of the pictures that were asked for. */
  pictures: string[];
  /** Ends it, and fails where something was wrong. */
  leave: () => Promise<void>;
}

export interface Wishes extends BrowserContextOptions {
  /** What stands behind the token in the link. */
  hash?: string;
  /** Without the token. */
  stranger?: boolean;
  /** Errors that belong to the test. */
  expected?: RegExp;
  /** Changes what heatd answers, before the page is opened. */
  before?: (page: Page) => Promise<void>;
}

export async function visit(browser: Browser, wishes: Wishes = {}): Promise<Visit> {
  const { hash = "", stranger, expected, before, ...options } = wishes;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const problems: string[] = [];
  const pictures: string[] = [];
  page.on("pageerror", (error) => problems.push(`an error: ${error.message}`));
  page.on("dialog", (dialog) => {
    problems.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    const text = `${message.text()} ${message.location().url}`;
    // A heatd without roles has no such resource.
    const known = text.endsWith("/api/v1/whoami") || expected?.test(text);
    if (message.type() === "error" && !known) problems.push(text);
  });
  await context.route(/.*/, (route) => {
    const address = new URL(route.request().url());
    if (address.origin === base || address.protocol === "blob:") return route.continue();
    if (!PICTURES.includes(address.host)) problems.push(`a request to ${address.href}`);
    pictures.push(address.href);
    return route.fulfill({ contentType: "image/svg+xml", body: PICTURE });
  });
  await before?.(page);
  await page.goto(stranger ? `${base}/${hash && `#${hash}`}` : `${base}/#token=${token}${hash && `&${hash}`}`);
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    // Streams and questions are dropped where nobody waits for them any more.
    if (!why.includes("ERR_ABORTED") && !expected?.test(why)) problems.push(`${request.url()}: ${why}`);
  });
  const leave = async (): Promise<void> => {
    await context.close();
    assert.deepEqual(problems, []);
  };
  return { page, pictures, leave };
}

/** Waits until something is true. */
export async function until<T>(what: string, look: () => Promise<T>): Promise<NonNullable<T>> {
  const deadline = Date.now() + PATIENCE;
  let last: unknown;
  while (Date.now() < deadline) {
    last = await look().catch((error: unknown) => error);
    if (last && !(last instanceof Error)) return last as NonNullable<T>;
    await new Promise((resume) => setTimeout(resume, 50));
  }
  throw new Error(`waited in vain for ${what}; last was ${String(last)}`);
}

export const text = (page: Page, selector: string): Promise<string> => page.locator(selector).first().innerText();

/** Waits until an element has a text that fits. */
export async function says(page: Page, selector: string, fits: RegExp): Promise<string> {
  return until(`${selector} to say ${fits}`, async () => {
    const found = await text(page, selector);
    if (!fits.test(found)) throw new Error(`it says ${JSON.stringify(found)}`);
    return found || " ";
  });
}

/** The page is there, with a graph in it. */
export async function shown(page: Page): Promise<void> {
  await page.locator("#graph canvas").waitFor({ timeout: PATIENCE });
}

/** Lets the page ask for everything now, as when somebody comes back to its tab. */
export async function hurry(page: Page): Promise<void> {
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
}

/** Asks heatd itself. */
export async function ask<T>(path: string, body?: unknown): Promise<T> {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`${base}/api/v1/${path}`, { ...options, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" } });
  const said = await answer.text();
  assert.ok(answer.ok, said);
  return JSON.parse(said.trim().split("\n").at(-1) ?? "") as T;
}

export async function shoot(page: Page, name: string, fullPage = true): Promise<void> {
  await page.screenshot({ path: join(given("HEAT_SHOTS"), `${name}.png`), fullPage });
}

/** What axe-core finds that keeps people out. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => (globalThis as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } }).axe.run());
  const serious = found.violations.filter((it) => it.impact === "serious" || it.impact === "critical");
  return serious.flatMap((it) => it.nodes.map((node) => `${it.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}
