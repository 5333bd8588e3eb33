/** For owners: the Twitch accounts of the configuration, how they stand, and logging in without a terminal. */
import { words } from "./api.ts";
import { at, button, h, say } from "./dom.ts";
import { counted } from "./format.ts";
import { Regularly, type Parts } from "./parts.ts";
import type { Account, Accounts as Answer, Begun } from "./types.ts";

/** How often it is asked how a login goes, and how accounts stand, in milliseconds. */
const OFTEN = 2_000;
const SELDOM = 30_000;

/** How an account stands, in a sentence. */
export function standing(account: Account): string {
  const { eventsub } = account;
  if (account.state === "logged-out") return "not logged in";
  if (account.state === "lapsed") return "Twitch no longer takes the login";
  if (account.state === "unsure") return "the login cannot be checked at present";
  const lacking = account.features.filter((it) => !it.covered).map((it) => it.name);
  if (lacking.length > 0) return `logged in, but not for ${lacking.join(", ")}: log in again`;
  if (!eventsub) return "logged in";
  const refused = Object.keys(eventsub.refused).length;
  if (!eventsub.connected) return `logged in; Twitch's events are not heard${eventsub.problem ? `: ${eventsub.problem}` : ""}`;
  return `logged in, hears ${counted(eventsub.hears.length, "kind")} of events${refused > 0 ? `, and ${refused} not` : ""}`;
}

/** Whether logging in helps. */
export function wantsLogin(account: Account): boolean {
  return account.state === "logged-out" || account.state === "lapsed" || account.features.some((it) => !it.covered);
}

export class Accounts {
  private shown = "";
  private busy = false;
  private hasClient = true;
  private readonly regularly = new Regularly(() => this.look(), SELDOM);

  constructor(private readonly parts: Parts) {}

  /** For owners. */
  begin(): void {
    this.regularly.soon();
  }

  private async look(): Promise<void> {
    const answer = await this.parts.api.get<Answer>("accounts");
    this.hasClient = answer.has_client_id;
    at("accounts").hidden = answer.accounts.length === 0;
    at("client").hidden = this.hasClient || !answer.accounts.some(wantsLogin);
    // Somebody is about to agree, and waits for the page to know.
    if (answer.accounts.some((it) => it.begun?.state === "waiting")) setTimeout(() => this.regularly.soon(), OFTEN);
    const key = JSON.stringify(answer);
    if (key === this.shown) return;
    this.shown = key;
    at("account-list").replaceChildren(...answer.accounts.map((it) => this.row(it)));
  }

  private row(account: Account): HTMLElement {
    const waits = account.begun?.state === "waiting" ? account.begun : null;
    const failed = account.begun?.state === "failed" ? account.begun.problem : null;
    const bad = account.problem !== null;
    const login = wantsLogin(account) && !waits && button("Log in", () => void this.logIn(account), { class: "small" });
    return h(
      "li",
      { "data-state": bad ? "bad" : "good" },
      h("span", {}, h("strong", {}, h("bdi", {}, account.login)), account.bot ? " (bot)" : "", `: ${standing(account)}`),
      login,
      waits && this.waiting(waits),
      failed && h("p", { class: "wrong" }, failed),
    );
  }

  /** What the person opens, and compares. */
  private waiting(begun: Begun): HTMLElement {
    const link = h("a", { href: begun.address, target: "_blank", rel: "noopener noreferrer" }, "Open Twitch and agree");
    const code = begun.code ? h("span", {}, ", and compare the code there: ", h("code", {}, begun.code)) : null;
    return h("p", { class: "login" }, link, code);
  }

  private async logIn(account: Account): Promise<void> {
    if (this.busy) return;
    const given = at<HTMLInputElement>("client-id");
    if (!this.hasClient && !given.value.trim()) {
      say(at("account-answer"), "Twitch wants to know the program: write its client id below, and press Log in again.");
      given.focus();
      return;
    }
    this.busy = true;
    say(at("account-answer"), "…");
    const client = this.hasClient ? null : given.value.trim();
    const path = `accounts/${encodeURIComponent(account.login)}/login`;
    try {
      await this.parts.api.post<Begun>(path, { client_id: client });
      say(at("account-answer"), "");
      this.regularly.soon();
    } catch (error) {
      say(at("account-answer"), words(error));
    }
    this.busy = false;
  }
}
