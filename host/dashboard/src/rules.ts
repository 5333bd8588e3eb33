/** Which rule is live in which slot, how it does, and what was changed. */
import { AddRule } from "./add-rule.ts";
import { Problem } from "./api.ts";
import { at, h, name } from "./dom.ts";
import type { Mark } from "./draw.ts";
import { moment, number, share } from "./format.ts";
import { Regularly, type Parts } from "./parts.ts";
import { RemoveRule } from "./remove-rule.ts";
import type { Change, Rule } from "./types.ts";

/** Changes after which another rule, or the same with other settings, is at work. */
const SWAPS = ["deploy", "promote", "settings", "rollback", "disable", "enable", "quarantine", "undo", "add-rule", "remove-rule"];

const SHOWN = 12;

export class Rules {
  private readonly asks: Regularly;
  private readonly adding: AddRule;
  private readonly removing: RemoveRule;
  private shown: Rule[] | null = null;
  /** Rules are not for everybody. */
  private forbidden = false;

  constructor(
    private readonly parts: Parts,
    private readonly follow: (rules: Rule[], marks: Mark[]) => void,
  ) {
    this.asks = new Regularly(() => this.load(), 15_000);
    this.adding = new AddRule(parts, () => this.soon());
    this.removing = new RemoveRule(parts, () => {
      this.adding.clear();
      this.soon();
    });
    parts.views.follow((view, before) => view.channel !== before.channel && this.soon());
  }

  /** An owner adds rules, and removes those. */
  allow(): void {
    this.adding.allow();
    this.removing.allow();
    if (this.shown) this.show(this.shown);
  }

  soon(): void {
    this.asks.soon();
  }

  /** A rule has failed. */
  failed(): void {
    this.asks.later();
  }

  private async load(): Promise<void> {
    const { api, views } = this.parts;
    const { channel } = views.now;
    if (!channel || this.forbidden) return;
    try {
      const [{ rules }, { entries }] = await Promise.all([
        api.get<{ rules: Rule[] }>("rules"),
        api.get<{ entries: Change[] }>("audit", { channel, count: 200 }),
      ]);
      if (channel !== views.now.channel) return;
      at("ruled").hidden = false;
      const mine = rules.filter((it) => it.channel === channel);
      this.show(mine);
      showChanges(entries.slice(0, SHOWN));
      this.follow(mine, entries.filter((it) => SWAPS.includes(it.action) && !it.refused).map((it) => ({ at: it.at, text: sentence(it) })));
    } catch (error) {
      this.forbidden = error instanceof Problem && error.status === 403;
      if (this.forbidden) at("ruled").hidden = true;
      throw error;
    }
  }

  private show(rules: Rule[]): void {
    this.shown = rules;
    this.adding.show(rules);
    showRules(rules, (rule) => this.removing.of(rule));
  }
}

function showRules(rules: Rule[], remove: (rule: Rule) => HTMLElement | null): void {
  const head = ["Slot", "Rule", "State", "Calls", "A call uses", "Failures", "Since"].map((it) => h("th", { scope: "col" }, it));
  const rows = rules.map((rule) => {
    const failures = rule.failures ?? 0;
    const shadow = rule.shadow ? h("small", {}, `shadow: ${rule.shadow.name} ${rule.shadow.version}, ${number(rule.shadow.events)} events`) : null;
    const state = rule.state === "probation" ? "live, on probation" : rule.state;
    return h(
      "tr",
      { "data-state": rule.state },
      h("th", { scope: "row", id: `slot-${rule.slot}` }, name(rule.slot)),
      h("td", {}, `${rule.name} ${rule.version}`, h("small", {}, rule.added ? `${rule.role}, added while running` : rule.role), shadow, remove(rule)),
      h("td", {}, h("span", { class: "state" }, state), rule.reason ? h("small", {}, rule.reason) : null),
      h("td", { class: "figure" }, number(rule.calls ?? 0)),
      h("td", { class: "figure" }, cost(rule)),
      h("td", { class: failures > 0 ? "figure bad" : "figure" }, number(failures)),
      h("td", {}, rule.since ? moment(rule.since) : "–"),
    );
  });
  const body = rows.length > 0 ? rows : [h("tr", {}, h("td", { colspan: "7", class: "empty" }, "this channel has no rules"))];
  const focused = document.activeElement;
  at("rules").replaceChildren(h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body));
  // Who is at a button stays there.
  if (focused instanceof HTMLElement && at("rules").contains(focused)) focused.focus({ preventScroll: true });
}

/** How much of what a call may use one of its calls uses. */
export function cost(rule: Rule): string {
  return rule.fuel && rule.calls && rule.fuel_limit ? `${share(rule.fuel / rule.calls, rule.fuel_limit)} of the limit` : "–";
}

function showChanges(entries: Change[]): void {
  const lines = entries.map((it) => h("li", {}, h("time", { datetime: new Date(it.at).toISOString() }, moment(it.at)), " ", sentence(it)));
  at("changes").replaceChildren(...(lines.length > 0 ? lines : [h("li", { class: "empty" }, "nothing was changed yet")]));
}

const DONE: Record<string, string> = {
  deploy: "new rule",
  promote: "the shadow is live",
  settings: "new settings",
  rollback: "back to the previous rule",
  disable: "turned off",
  enable: "turned on",
  quarantine: "turned off after failures",
  undo: "taken back",
  "add-rule": "added",
  "remove-rule": "removed",
  command: "order",
  stream: "stream",
  simulate: "a simulated event",
};

function sentence(change: Change): string {
  const what = DONE[change.action] ?? change.action;
  const where = change.slot ? `${change.slot}: ${what}` : what;
  const how = change.refused ? `, refused${typeof change.refused === "string" ? `: ${change.refused}` : ""}` : change.note ? ` (${change.note})` : "";
  return `${where}, by ${change.by || "heatd"}${how}`;
}
