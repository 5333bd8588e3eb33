/** For moderators: orders to the rules, and taking back what somebody did, after a look at what that would change. */
import { ofChannel, Problem, words, type Step } from "./api.ts";
import { at, button, h, name } from "./dom.ts";
import { counted } from "./format.ts";
import type { Parts } from "./parts.ts";
import { now } from "./time.ts";
import type { Rule } from "./told.ts";

const BACK: [string, number][] = [
  ["5 minutes", 5],
  ["10 minutes", 10],
  ["30 minutes", 30],
  ["1 hour", 60],
  ["6 hours", 360],
  ["1 day", 1440],
];

export class Moderate {
  private shown = "";

  constructor(private readonly parts: Parts) {
    const since = at<HTMLSelectElement>("since");
    since.append(...BACK.map(([label, minutes]) => h("option", { value: String(minutes) }, label)));
    since.value = "10";
    at<HTMLFormElement>("undo").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.preview();
    });
    for (const field of ["who", "since"]) at(field).addEventListener("input", () => at("preview").replaceChildren());
    parts.views.follow((view, before) => view.channel !== before.channel && at("preview").replaceChildren());
  }

  /** `canOrder`: heatd takes orders by the API. */
  begin(canOrder: boolean): void {
    at("moderate").hidden = false;
    at("orders").hidden = !canOrder;
  }

  /** The orders that the rules of the channel take, as their settings say. */
  show(rules: Rule[]): void {
    const orders = ordersOf(rules);
    const key = this.parts.views.now.channel + orders.join("\n");
    if (key === this.shown) return;
    this.shown = key;
    const answer = h("p", { role: "status", class: "answer" });
    const field = h("input", { id: "order", autocomplete: "off", spellcheck: "false", placeholder: orders[0] ?? "?heat set 50", maxlength: "500", required: true });
    const form = h(
      "form",
      {},
      h("div", { class: "row" }, h("span", {}, h("label", { for: "order" }, "Order"), field), h("button", { type: "submit" }, "Give")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.give(field.value.trim(), answer);
    });
    const ready = orders.map((order) =>
      button(order, () => {
        // What has a number in it is for the moderator to finish.
        if (!/\d|add$/.test(order)) return void this.give(order, answer);
        field.value = order;
        field.focus();
        const digits = /\d+/.exec(order);
        if (digits) field.setSelectionRange(digits.index, digits.index + digits[0].length);
      }),
    );
    at("orders").replaceChildren(h("h3", {}, "Orders"), h("div", { class: "group wrap" }, ...ready), form, answer);
  }

  private async give(text: string, answer: HTMLElement): Promise<void> {
    if (!text) return;
    answer.textContent = "…";
    try {
      const { answers } = await this.parts.api.post<{ answers: { slot: string; effects: string[]; fault?: string | null }[] }>(
        ofChannel(this.parts.views.now.channel, "command"),
        { text },
      );
      const told = answers.flatMap((it) => (it.fault ? [`${it.slot} failed: ${it.fault}`] : it.effects.map((effect) => `${it.slot}: ${effect}`)));
      answer.textContent = told.length > 0 ? `Done. ${told.join("; ")}` : "Done.";
    } catch (error) {
      answer.textContent = words(error);
    }
  }

  private async preview(): Promise<void> {
    const user = at<HTMLInputElement>("who").value.trim().replace(/^@/, "").toLowerCase();
    const since = now() - Number(at<HTMLSelectElement>("since").value) * 60_000;
    const place = at("preview");
    const path = ofChannel(this.parts.views.now.channel, "undo");
    place.replaceChildren(h("p", { class: "empty" }, "looking …"));
    try {
      const step = await this.parts.api.steps(path, { user, since, preview: true });
      const take = button("Take it back", () => void this.take(path, { user, since }), { class: "danger" });
      place.replaceChildren(told(step, user), Number(step["events"] ?? 0) > 0 ? take : "");
    } catch (error) {
      place.replaceChildren(h("p", { class: "wrong" }, words(error)));
    }
  }

  private async take(path: string, wish: object): Promise<void> {
    const place = at("preview");
    try {
      const step = await this.parts.api.steps(path, wish);
      place.replaceChildren(h("p", { class: "done" }, step.done ?? "done"));
    } catch (error) {
      // A moderator need not be allowed what an owner is.
      const why = error instanceof Problem && error.status === 403 ? `not allowed: ${words(error)}` : words(error);
      place.replaceChildren(h("p", { class: "wrong" }, why));
    }
  }
}

function told(step: Step, user: string): HTMLElement {
  const events = Number(step["events"] ?? 0);
  const faves = Number(step["faves"] ?? 0);
  if (events === 0) return h("p", {}, name(user), " has done nothing in this time that counts.");
  const outputs = Object.entries(step.outputs ?? {}).filter(([, it]) => it.before !== it.after);
  const moved = outputs.map(([output, it]) => h("li", {}, name(output), `: ${it.before ?? "–"} → ${it.after ?? "–"}`));
  const sum = h("p", {}, `This would take back ${counted(faves, "fave")} in ${counted(events, "event")} of `, name(user), ".");
  return h("div", {}, sum, moved.length > 0 ? h("ul", {}, ...moved) : h("p", {}, "No output would change."));
}

/** What moderators may say to these rules: their settings `moderator_command` name the word, and in their description the orders. */
export function ordersOf(rules: Rule[]): string[] {
  const orders = rules.flatMap((rule) => {
    if (rule.state === "disabled" || rule.state === "quarantined") return [];
    const command = rule.settings?.["moderator_command"];
    const about = rule.declared?.find((it) => it.name === "moderator_command")?.about ?? "";
    const listed = /:\s*([^.]+)\./.exec(about)?.[1] ?? "";
    if (typeof command !== "string" || !command || !listed) return [];
    return listed.split(",").map((it) => `${command} ${it.trim()}`);
  });
  return [...new Set(orders)];
}
