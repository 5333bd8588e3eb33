/** The orders that the rules of a channel take from moderators: buttons that act at once, and buttons that fill the field. */
import { ofChannel, words } from "./api.ts";
import { at, button, h } from "./dom.ts";
import type { Parts } from "./parts.ts";
import type { Rule } from "./types.ts";

export interface Order {
  /** As it is written in chat. */
  text: string;
  /** What it does, in words. */
  label: string;
  /** It has a part that the moderator has to finish first. */
  fills: boolean;
}

/** What the orders of the project's own rules do. */
const LABELS: Record<string, string> = {
  "fave pause": "Pause faves",
  "fave resume": "Resume faves",
  "fave add": "Add a fave",
  "decay set": "Set the heat",
  "decay reset": "Reset the heat",
  "multiplier boost": "Boost faves",
  "multiplier boost off": "End the boost",
};

/** What moderators may say to these rules: their settings `moderator_command` name the word, and in their description the orders. */
export function ordersOf(rules: Rule[]): Order[] {
  const orders = new Map<string, Order>();
  for (const rule of rules) {
    if (rule.state === "disabled" || rule.state === "quarantined") continue;
    const command = rule.settings?.["moderator_command"];
    const about = rule.declared?.find((it) => it.name === "moderator_command")?.about ?? "";
    const listed = /:\s*([^.]+)\./.exec(about)?.[1] ?? "";
    if (typeof command !== "string" || !command || !listed) continue;
    for (const words of listed.split(",").map((it) => it.trim())) {
      const text = `${command} ${words}`;
      const verb = words.replace(/\s*\d.*$/, "");
      const fills = /\d|add$/.test(words);
      if (!orders.has(text)) orders.set(text, { text, label: LABELS[`${rule.name} ${verb}`] ?? words, fills });
    }
  }
  return [...orders.values()];
}

/** An effect for people: what a rule says is a sentence already. */
export function plain(slot: string, effect: string): string {
  const said = /^say (".*")$/su.exec(effect)?.[1];
  const shown = /^show (\S+) (".*")$/su.exec(effect);
  if (said !== undefined) return unquoted(said);
  if (shown) return `${shown[1] ?? ""}: ${unquoted(shown[2] ?? "") || "–"}`;
  return `${slot}: ${effect}`;
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    // heatd escapes a few characters otherwise than JSON does.
    return text;
  }
}

export class Orders {
  private shown = "";
  private readonly answer = h("p", { role: "status", class: "answer" });

  constructor(private readonly parts: Parts) {}

  show(rules: Rule[]): void {
    const orders = ordersOf(rules);
    const key = this.parts.views.now.channel + JSON.stringify(orders);
    if (key === this.shown) return;
    this.shown = key;
    this.answer.textContent = "";
    const [fills, acts] = [orders.filter((it) => it.fills), orders.filter((it) => !it.fills)];
    at("orders").replaceChildren(
      h("h3", {}, "Orders"),
      h("div", { class: "group wrap acts" }, ...acts.map((it) => this.acting(it))),
      h("div", { class: "group wrap" }, ...fills.map((it) => this.filling(it))),
      this.form(fills[0]?.text ?? "?heat set 50"),
      this.answer,
    );
  }

  private acting(order: Order): HTMLElement {
    const made = button(order.label, () => void this.give(order.text), { class: "primary act", title: "Happens at once" });
    made.append(h("small", {}, order.text));
    return made;
  }

  private filling(order: Order): HTMLElement {
    const fill = (): void => {
      const field = at<HTMLInputElement>("order");
      field.value = order.text;
      field.focus();
      const digits = /\d+/.exec(order.text);
      if (digits) field.setSelectionRange(digits.index, digits.index + digits[0].length);
    };
    const made = button(`${order.label} …`, fill, { class: "fill", title: "Fills the field below" });
    made.append(h("small", {}, order.text));
    return made;
  }

  private form(example: string): HTMLElement {
    const field = h("input", { id: "order", autocomplete: "off", spellcheck: "false", placeholder: example, maxlength: "500", required: true });
    const form = h(
      "form",
      {},
      h("div", { class: "row" }, h("span", {}, h("label", { for: "order" }, "Order"), field), h("button", { type: "submit" }, "Give")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.give(field.value.trim());
    });
    return form;
  }

  private async give(text: string): Promise<void> {
    const { answer } = this;
    if (!text) return;
    answer.textContent = "…";
    try {
      const { answers } = await this.parts.api.post<{ answers: { slot: string; effects: string[]; fault?: string | null }[] }>(
        ofChannel(this.parts.views.now.channel, "command"),
        { text },
      );
      const done = answers.flatMap((it) => (it.fault ? [`${it.slot} failed: ${it.fault}`] : it.effects.map((effect) => plain(it.slot, effect))));
      answer.textContent = ["Done.", ...done].join(" ");
    } catch (error) {
      answer.textContent = words(error);
    }
  }
}
