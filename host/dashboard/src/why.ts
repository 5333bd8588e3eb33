/** Why the number is what it is: the events that changed it, newest first. */
import { ofChannel, words } from "./api.ts";
import { at, h } from "./dom.ts";
import { counted, moment, number } from "./format.ts";
import type { Parts } from "./parts.ts";
import type { Selection } from "./selection.ts";
import type { Cause } from "./types.ts";

/** How many stand in the list. */
const SHOWN = 12;

/** A cause, or several in a row in which nothing but time has passed. */
export interface Row extends Cause {
  times: number;
}

/** The newest first. What time alone has changed is one row. */
export function rowsOf(causes: Cause[]): Row[] {
  const rows: Row[] = [];
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
    private readonly selection: Selection,
  ) {
    at("ask-why").addEventListener("click", () => void this.ask());
  }

  /** For people who may see names. */
  begin(): void {
    at("why").hidden = false;
  }

  /** Another output, or another channel. heatd goes through its log for it, so it is asked for by hand only. */
  reset(): void {
    this.asked += 1;
    at<HTMLButtonElement>("ask-why").disabled = this.output() === "";
    const words = this.output() ? "heatd looks through its log for this, which may take a moment." : "No rule shows a number yet.";
    this.show("", [], words);
  }

  async ask(): Promise<void> {
    const { api, views } = this.parts;
    const output = this.output();
    const asked = (this.asked += 1);
    this.show(output, [], "Looking …");
    try {
      const { causes } = await api.get<{ causes: Cause[] }>(ofChannel(views.now.channel, "why"), { output, count: 80 }, AbortSignal.timeout(120_000));
      if (asked === this.asked) this.show(output, rowsOf(causes).slice(0, SHOWN));
    } catch (error) {
      if (asked === this.asked) this.show(output, [], words(error));
    }
  }

  private show(output: string, causes: Row[], empty = "Nothing has changed it since the log begins."): void {
    if (causes.length === 0) {
      at("causes").replaceChildren(h("p", { class: "empty" }, empty));
      return;
    }
    const head = ["When", "What", "Faves", output].map((it) => h("th", { scope: "col" }, it));
    const rows = causes.map((it) => {
      const what = h("td", {}, it.kind === "timer" ? (`time passed${it.times > 1 ? `, ${counted(it.times, "change")}` : ""}`) : it.kind);
      if (it.person) what.append(" of ", this.selection.person(it.person));
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
