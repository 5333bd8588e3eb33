/** For owners: the form that adds a rule to the channel while heatd runs. heatd tries the rule first; the form tells how far it is, and how it went. */
import { ofChannel, queryOf, words } from "./api.ts";
import { at, h, say } from "./dom.ts";
import type { Parts } from "./parts.ts";
import { shareOf, wordsOf, type Step } from "./steps.ts";
import type { Rule } from "./types.ts";

/** The slot of a file that is named so: `Song_Faves.wasm` gets `song_faves`, as by `heat rules add`. */
export function slotOf(file: string): string {
  return file.replace(/(.)\.[^.]*$/, "$1").toLowerCase().replace(/[ .]/g, "-");
}

export class AddRule {
  private readonly form = at<HTMLFormElement>("add-rule-form");
  private readonly file = at<HTMLInputElement>("rule-file");
  private readonly slot = at<HTMLInputElement>("rule-slot");
  private readonly place = at<HTMLSelectElement>("rule-place");
  private slots = "";
  private busy = false;

  /** `ended` is called once heatd has answered, whatever it has. */
  constructor(
    private readonly parts: Parts,
    private readonly ended: () => void,
  ) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.add();
    });
    this.file.addEventListener("change", () => this.suggest());
    parts.views.follow((view, before) => view.channel !== before.channel && this.clear());
    this.show([]);
  }

  /** For owners. */
  allow(): void {
    at("add-rule").hidden = false;
  }

  /** The rules that there are: the new one may come after any of them. */
  show(rules: Rule[]): void {
    const slots = rules.map((it) => it.slot);
    const key = JSON.stringify(slots);
    if (key === this.slots) return;
    this.slots = key;
    const chosen = this.place.value;
    const after = slots.map((it) => h("option", { value: it }, `after ${it}`));
    this.place.replaceChildren(h("option", { value: "" }, "at the end"), ...after);
    this.place.value = slots.includes(chosen) ? chosen : "";
  }

  /** What was said holds no longer. What is being added goes on. */
  clear(): void {
    if (!this.busy) at("add-rule-answer").replaceChildren();
  }

  /** Shows which slot it will be where nothing is written. */
  private suggest(): void {
    const [file] = this.file.files ?? [];
    this.slot.placeholder = file ? slotOf(file.name) : "as the file";
  }

  private async add(): Promise<void> {
    const { api, views } = this.parts;
    const { channel } = views.now;
    const [file] = this.file.files ?? [];
    if (!file || this.busy) return;
    const [slot, after] = [this.slot.value.trim() || slotOf(file.name), this.place.value || undefined];
    this.work(true);
    try {
      const path = ofChannel(channel, "rules") + queryOf({ slot, after });
      const done = await api.steps(path, await read(file), (step) => this.step(step));
      this.tell("done", done.message ?? "Done.", done.checked && `Tried on ${done.checked}.`);
      this.form.reset();
      this.suggest();
    } catch (error) {
      const where = channel === views.now.channel ? "" : `#${channel}: `;
      this.tell("wrong", where + words(error));
    }
    this.work(false);
    this.ended();
  }

  /** A button that is disabled loses the focus, so this one only looks so. */
  private work(busy: boolean): void {
    this.busy = busy;
    at("add-rule-button").setAttribute("aria-disabled", String(busy));
    at("add-rule-part").hidden = !busy;
    if (!busy) return;
    at("rules-answer").replaceChildren();
    this.step({});
  }

  /** The words change with the step alone, so that nothing is read out again and again. The bar shows the rest. */
  private step(step: Step): void {
    const bar = at<HTMLProgressElement>("add-rule-part");
    const share = shareOf(step);
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
    say(at("add-rule-answer"), step.step ? wordsOf(step) : "Sending it to heatd …");
  }

  private tell(how: "done" | "wrong", what: string, more = ""): void {
    at("add-rule-answer").replaceChildren(h("p", { class: how }, what), more && h("p", { class: "hint" }, more));
  }
}

/** A browser sends no file that has changed since it was chosen, as one has that was built again. */
async function read(file: File): Promise<ArrayBuffer> {
  return file.arrayBuffer().catch(() => {
    throw new Error("The file cannot be read. If it has changed since you chose it, choose it again.");
  });
}
