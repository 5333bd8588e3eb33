/** Takes back what people did, the faves of an item, or a stretch of time, after a preview of what that would change. */
import { ofChannel, Problem, words } from "./api.ts";
import { at, button, h, name } from "./dom.ts";
import { counted, stretch } from "./format.ts";
import type { Range } from "./intervals.ts";
import type { Parts } from "./parts.ts";
import type { Picked } from "./selection.ts";
import type { Step } from "./steps.ts";
import { now } from "./time.ts";

/** What is taken back, as the API takes it. */
export interface Wish {
  user?: string;
  users?: string[];
  item?: string;
  everybody?: true;
  since: number;
  until?: number;
}

const TIMES: [string, string][] = [
  ["5", "the last 5 minutes"],
  ["10", "the last 10 minutes"],
  ["30", "the last 30 minutes"],
  ["60", "the last hour"],
  ["360", "the last 6 hours"],
  ["1440", "the last day"],
  ["graph", "the time in the graph"],
];

type Kind = "people" | "item" | "everybody";

export class TakeBack {
  private asked = 0;

  constructor(
    private readonly parts: Parts,
    private readonly shown: () => Range,
  ) {
    const since = at<HTMLSelectElement>("since");
    since.append(...TIMES.map(([value, label]) => h("option", { value }, label)));
    since.value = "10";
    at<HTMLFormElement>("undo").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.preview();
    });
    for (const field of ["what", "who", "since"]) at(field).addEventListener("input", () => this.clear());
    at("what").addEventListener("input", () => this.adapt());
    parts.views.follow((view, before) => view.channel !== before.channel && this.clear());
    this.adapt();
  }

  /** Fills the form with what was tapped, and shows what taking it back would change. */
  choose(picked: Picked): void {
    at<HTMLSelectElement>("what").value = picked.kind;
    at<HTMLInputElement>("who").value = picked.kind === "people" ? picked.logins.join(", ") : picked.item;
    this.adapt();
    at("undo").scrollIntoView({ block: "center" });
    at("who").focus();
    void this.preview();
  }

  /** The field fits what is chosen. */
  private adapt(): void {
    const kind = at<HTMLSelectElement>("what").value as Kind;
    const field = at<HTMLInputElement>("who");
    at("who-field").hidden = kind === "everybody";
    field.required = kind === "people";
    at("who-label").textContent = kind === "item" ? "Item" : "Names";
    field.placeholder = kind === "item" ? "empty: without an item" : "ann, ben";
  }

  private clear(): void {
    this.asked += 1;
    at("preview").replaceChildren();
  }

  private wish(): Wish {
    const kind = at<HTMLSelectElement>("what").value as Kind;
    return wishOf(kind, at<HTMLInputElement>("who").value, at<HTMLSelectElement>("since").value, this.shown(), now());
  }

  private async preview(): Promise<void> {
    const asked = (this.asked += 1);
    const [wish, place] = [this.wish(), at("preview")];
    const path = ofChannel(this.parts.views.now.channel, "undo");
    place.replaceChildren(h("p", { class: "empty" }, "Looking …"));
    try {
      const step = await this.parts.api.steps(path, { ...wish, preview: true });
      if (asked !== this.asked) return;
      const take = button("Take it back", () => void this.take(path, wish), { class: "danger" });
      place.replaceChildren(effectOf(step, wish), Number(step["events"] ?? 0) > 0 ? take : "");
    } catch (error) {
      if (asked === this.asked) place.replaceChildren(h("p", { class: "wrong" }, words(error)));
    }
  }

  private async take(path: string, wish: Wish): Promise<void> {
    const place = at("preview");
    // A second press would take back what is taken back already.
    place.replaceChildren(h("p", { class: "empty" }, "Taking it back …"));
    try {
      const step = await this.parts.api.steps(path, wish);
      place.replaceChildren(h("p", { class: "done" }, step.message ?? "Done."));
    } catch (error) {
      // A moderator need not be allowed what an owner is.
      const why = error instanceof Problem && error.status === 403 ? `Not allowed: ${words(error)}` : words(error);
      place.replaceChildren(h("p", { class: "wrong" }, why));
    }
  }
}

/** What the form asks for. `time`: minutes back from now, or `graph`. */
export function wishOf(kind: Kind, text: string, time: string, shown: Range, now: number): Wish {
  const when = time === "graph" ? { since: shown.from, until: shown.to } : { since: now - Number(time) * 60_000 };
  if (kind === "everybody") return { everybody: true, ...when };
  if (kind === "item") return { item: text.trim(), ...when };
  const users = [...new Set(text.toLowerCase().split(/[\s,;]+/).map((it) => it.replace(/^@/, "")).filter((it) => it !== ""))];
  return users.length === 1 ? { user: users[0] ?? "", ...when } : { users, ...when };
}

function effectOf(step: Step, wish: Wish): HTMLElement {
  const events = Number(step["events"] ?? 0);
  const faves = Number(step["faves"] ?? 0);
  const when = wish.until === undefined ? null : `, ${stretch(wish.since, wish.until)}`;
  if (events === 0) return h("p", {}, "Nothing that counts was done in this time: ", subject(wish), when, ".");
  const outputs = Object.entries(step.outputs ?? {}).filter(([, it]) => it.before !== it.after);
  const moved = outputs.map(([output, it]) => h("li", {}, name(output), `: ${it.before ?? "–"} → ${it.after ?? "–"}`));
  const sum = h("p", {}, `This would take back ${counted(faves, "fave")} in ${counted(events, "event")} of `, subject(wish), when, ".");
  return h("div", {}, sum, moved.length > 0 ? h("ul", {}, ...moved) : h("p", {}, "No output would change."));
}

function subject(wish: Wish): HTMLElement | string {
  if (wish.everybody) return "everybody";
  if (wish.item !== undefined) return name(wish.item || "no item");
  return name(wish.user ?? (wish.users ?? []).join(", "));
}
