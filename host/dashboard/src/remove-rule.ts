/** For owners: a button beside each rule that was added while heatd ran, which takes it out again. */
import { ofChannel, words } from "./api.ts";
import { at, button, h, twice } from "./dom.ts";
import type { Parts } from "./parts.ts";
import type { Rule } from "./types.ts";

export class RemoveRule {
  private allowed = false;
  private readonly buttons = new Map<string, HTMLButtonElement>();

  /** `ended` is called once heatd has answered, whatever it has. */
  constructor(
    private readonly parts: Parts,
    private readonly ended: () => void,
  ) {
    parts.views.follow((view, before) => view.channel !== before.channel && this.tell("done", ""));
  }

  /** For owners. */
  allow(): void {
    this.allowed = true;
  }

  /** The button of a rule that can be removed. A list that is drawn again gets the same one, which knows that it was pressed once. */
  of(rule: Rule): HTMLElement | null {
    if (!this.allowed || !rule.added) return null;
    const key = keyOf(rule);
    const made = this.buttons.get(key) ?? this.made(rule);
    this.buttons.set(key, made);
    return made;
  }

  private made(rule: Rule): HTMLButtonElement {
    const made = button("Remove", () => undefined, {
      class: "remove",
      title: "Takes the rule out, with its state. What it has counted stays.",
      "aria-describedby": `slot-${rule.slot}`,
    });
    twice(made, "Press again to remove it", () => void this.remove(rule, made));
    return made;
  }

  private async remove(rule: Rule, made: HTMLButtonElement): Promise<void> {
    made.disabled = true;
    try {
      const path = ofChannel(rule.channel, `rules/${encodeURIComponent(rule.slot)}`);
      const { message } = await this.parts.api.delete<{ message: string }>(path);
      this.tell("done", message);
      this.buttons.delete(keyOf(rule));
      // The button goes, and the keyboard with it.
      at("rules-list").focus({ preventScroll: true });
    } catch (error) {
      this.tell("wrong", words(error));
      made.disabled = false;
    }
    this.ended();
  }

  private tell(how: "done" | "wrong", what: string): void {
    at("rules-answer").replaceChildren(what && h("p", { class: how }, what));
  }
}

function keyOf({ channel, slot }: Rule): string {
  return `${channel} ${slot}`;
}
