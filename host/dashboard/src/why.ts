/** What is behind the number: the events that moved it, newest first. */
import { ofChannel, Problem, words } from "./api.ts";
import { at, h, name } from "./dom.ts";
import { moment, number } from "./format.ts";
import type { Parts } from "./parts.ts";
import type { Cause } from "./told.ts";

export class Why {
  private asked = 0;

  constructor(
    private readonly parts: Parts,
    private readonly output: () => string,
  ) {
    at("ask-why").addEventListener("click", () => void this.ask());
  }

  async ask(): Promise<void> {
    const { api, views } = this.parts;
    const output = this.output();
    const asked = (this.asked += 1);
    if (!views.now.channel || !output) return;
    try {
      const { causes } = await api.get<{ causes: Cause[] }>(ofChannel(views.now.channel, "why"), { output, count: 12 });
      if (asked === this.asked) this.show(output, causes);
    } catch (error) {
      if (error instanceof Problem && error.status === 403) return;
      this.show(output, [], words(error));
    }
  }

  private show(output: string, causes: Cause[], empty = "nothing has moved it since the log begins"): void {
    at("why").hidden = false;
    if (causes.length === 0) {
      at("causes").replaceChildren(h("p", { class: "empty" }, empty));
      return;
    }
    const head = ["When", "What", "Faves", output].map((it) => h("th", { scope: "col" }, it));
    const rows = causes.map((it) => {
      const what = h("td", {}, it.kind);
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
