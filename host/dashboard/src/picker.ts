/** A field with suggestions, by keyboard, by pointer, and for screen readers (the combobox pattern of ARIA). */
import { h } from "./dom.ts";

export interface Choice {
  value: string;
  /** What stands in the list. */
  label: HTMLElement | string;
  /** What stands behind it, smaller. */
  note?: string;
}

export interface Options {
  id: string;
  label: string;
  placeholder: string;
  /** What is suggested for a text. */
  suggest: (text: string) => Promise<Choice[]>;
  pick: (value: string) => void;
  /** What to say when nothing fits. */
  nothing: (text: string) => string;
}

/** Asked once typing has rested for so long, in milliseconds. */
const REST = 120;

export class Picker {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly list: HTMLUListElement;
  private choices: Choice[] = [];
  private active = -1;
  private asked = 0;
  /** The text that the choices are for. */
  private answered: string | null = null;
  private timer = 0;

  constructor(private readonly options: Options) {
    const list = `${options.id}-list`;
    this.input = h("input", {
      id: options.id,
      type: "text",
      role: "combobox",
      "aria-label": options.label,
      "aria-expanded": "false",
      "aria-controls": list,
      "aria-autocomplete": "list",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: options.placeholder,
    });
    this.list = h("ul", { id: list, role: "listbox", "aria-label": options.label, hidden: true });
    this.element = h("div", { class: "picker" }, this.input, this.list);
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("focus", () => {
      this.input.select();
      void this.open();
    });
    this.input.addEventListener("click", () => this.list.hidden && void this.open());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    // Before the field loses the focus and the list goes.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = (event.target as Element).closest("[data-place]");
      if (option) this.choose(Number(option.getAttribute("data-place")));
    });
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.open(), REST);
  }

  /** What is searched for. The name that stands there at first is the present choice, and no search. */
  private wanted(): string {
    return this.input.value === this.input.defaultValue ? "" : this.input.value.trim();
  }

  private async open(): Promise<void> {
    const number = (this.asked += 1);
    const text = this.wanted();
    const choices = await this.options.suggest(text).catch(() => []);
    if (number !== this.asked || document.activeElement !== this.input) return;
    this.answered = text;
    this.choices = choices;
    this.active = text && choices.length > 0 ? 0 : -1;
    const options = choices.map((choice, place) =>
      h(
        "li",
        { role: "option", id: `${this.options.id}-${place}`, "data-place": String(place) },
        h("span", {}, choice.label),
        choice.note ? h("small", {}, choice.note) : null,
      ),
    );
    const nothing = h("li", { class: "nothing", role: "option", "aria-disabled": "true" }, this.options.nothing(text));
    this.list.replaceChildren(...(options.length > 0 ? options : [nothing]));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.mark();
  }

  private close(): void {
    this.asked += 1;
    clearTimeout(this.timer);
    this.answered = null;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.input.value = this.input.defaultValue;
  }

  private mark(): void {
    [...this.list.children].forEach((option, place) => {
      option.setAttribute("aria-selected", String(place === this.active));
      if (place === this.active) option.scrollIntoView({ block: "nearest" });
    });
    if (this.active < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.options.id}-${this.active}`);
  }

  private key(event: KeyboardEvent): void {
    const count = this.choices.length;
    if (event.key === "Escape") {
      this.close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      void this.enter();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count > 0) {
      event.preventDefault();
      if (this.list.hidden) return void this.open();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.active = this.active < 0 ? (step > 0 ? 0 : count - 1) : (this.active + step + count) % count;
      this.mark();
    }
  }

  /** Who types fast means what was typed, and not what was suggested before. */
  private async enter(): Promise<void> {
    clearTimeout(this.timer);
    if (this.wanted() !== this.answered) await this.open();
    if (!this.list.hidden) this.choose(this.active);
  }

  private choose(place: number): void {
    const choice = this.choices[place];
    if (!choice) return;
    this.close();
    this.options.pick(choice.value);
  }
}
