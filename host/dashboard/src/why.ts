/** What is behind the number: the events that moved it, newest first. */
import { ofChannel, words } from "./api.ts";
import { at, h, name } from "./dom.ts";
import { moment, number } from "./format.ts";
import type { Parts } from "./parts.ts";
import type { Cause } from "./told.ts";

/** How many stand in the list. */
const SHOWN = 12;

/** A cause, or several in a row in which nothing but time has passed. */
export interface Told extends Cause {
  times: number;
}

/** The newest first; what time does goes together. */
export function told(causes: Cause[]): Told[] {
  const rows: Told[] = [];
  for (const cause of [...causes].sort((one, other) => one.at - other.at)) {
    const last = rows.at(-1);
    if (last && last.kind === "timer" && cause.kind === "timer" && last.slot === cause.slot) {
      Object.assign(last, { at: cause.at, after: cause.after, times: last.times + 1 });
    } else {
      rows.push({ ...cause, times: 1 });
    }
  }
  return rows.reverse();
}

export class Why {
  private asked = 0;

  constructor(
    private readonly parts: Parts,
    private readonly output: () => string,
  ) {
    at("ask-why").addEventListener("click", () => void this.ask());
  }

  /** For whoever may see names. */
  begin(): void {
    at("why").hidden = false;
  }

  /** Another output, or another channel. It is only looked when somebody asks: heatd goes through its log for it. */
  reset(): void {
    this.asked += 1;
    at<HTMLButtonElement>("ask-why").disabled = this.output() === "";
    const words = this.output() ? "Look: heatd goes through its log, which may take a moment." : "No rule shows a number yet.";
    this.show("", [], words);
  }

  async ask(): Promise<void> {
    const { api, views } = this.parts;
    const output = this.output();
    const asked = (this.asked += 1);
    this.show(output, [], "looking …");
    try {
      const { causes } = await api.get<{ causes: Cause[] }>(ofChannel(views.now.channel, "why"), { output, count: 80 }, AbortSignal.timeout(120_000));
      if (asked === this.asked) this.show(output, told(causes).slice(0, SHOWN));
    } catch (error) {
      if (asked === this.asked) this.show(output, [], words(error));
    }
  }

  private show(output: string, causes: Told[], empty = "nothing has moved it since the log begins"): void {
    if (causes.length === 0) {
      at("causes").replaceChildren(h("p", { class: "empty" }, empty));
      return;
    }
    const head = ["When", "What", "Faves", output].map((it) => h("th", { scope: "col" }, it));
    const rows = causes.map((it) => {
      const what = h("td", {}, it.kind === "timer" ? (it.times > 1 ? `time, in ${it.times} steps` : "time") : it.kind);
      if (it.person) what.append(" of ", name(it.person));
      return h(
        "tr",
        {},
        h("td", {}, moment(it.at)),
        what,
        h("td", { class: "figure" }, it.faves ? number(it.faves) : ""),
        h("td", { class: "figure" }, `${it.before ?? "–"} → ${it.after ?? "–"}`),
      );
    });
    at("causes").replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
  }
}
