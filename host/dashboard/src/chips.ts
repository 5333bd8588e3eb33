/** The series that are shown, as chips with their values, and the field that adds more of them. */
import { ofChannel } from "./api.ts";
import type { Channels } from "./channels.ts";
import { at, button, h, say } from "./dom.ts";
import { learn, shown, type Emote } from "./emotes.ts";
import { counted, number } from "./format.ts";
import type { Reading } from "./graph.ts";
import type { Parts } from "./parts.ts";
import { Picker, type Choice } from "./picker.ts";
import { emoteOf, inChannel, isOutput, seriesOf, spoken } from "./series.ts";
import { now } from "./time.ts";
import { MOST_SERIES } from "./view.ts";

const DAY = 86_400_000;

const PLAIN = ["messages", "faves"];

/** So many other channels are suggested at once. */
const MOST_CHANNELS = 8;

export class Chips {
  private readonly chips = new Map<string, { value: HTMLElement; people: HTMLElement }>();
  private readings: Reading[] = [];

  constructor(
    private readonly parts: Parts,
    private readonly channels: Channels,
  ) {
    at("add").append(this.picker().element);
    parts.views.follow((view, before) => view.of.join() !== before.of.join() && this.list());
    this.list();
  }

  private picker(): Picker {
    const { views } = this.parts;
    return new Picker({
      id: "emote-input",
      label: "Add a series: messages, faves, an emote of this channel, or # and another channel",
      placeholder: "+ emote or #channel",
      suggest: async (text) => {
        const other = /^#(\S*)\s*(.*)$/su.exec(text);
        const found = other ? await this.ofOthers(other[1] ?? "", other[2] ?? "") : await this.ofChannel(views.now.channel, text, (of) => of);
        return found.filter((it) => !views.now.of.includes(it.value));
      },
      pick: (series) => this.add(series),
      nothing: (text) => nothing(text),
    });
  }

  /** What another channel has: messages and faves, and its emotes once its name is complete. */
  private async ofOthers(channel: string, text: string): Promise<Choice[]> {
    const others = this.channels.fitting(channel).filter((it) => it.name !== this.parts.views.now.channel);
    const exact = others.find((it) => it.name === channel.toLowerCase());
    if (exact) return this.ofChannel(exact.name, text, (of) => inChannel(exact.name, of));
    return others.slice(0, MOST_CHANNELS).flatMap(({ name }) => PLAIN.map((of): Choice => ({ value: inChannel(name, of), label: `#${name} ${of}` })));
  }

  private async ofChannel(channel: string, text: string, named: (of: string) => string): Promise<Choice[]> {
    const query = { count: 30, from: now() - DAY, ...(text ? { search: text } : {}) };
    const found = await this.parts.api.get<{ emotes: (Emote & { uses: number })[] }>(ofChannel(channel, "emotes"), query);
    learn(found.emotes);
    const emotes = found.emotes.map((it): Choice => {
      return { value: named(`emote:${it.provider}:${it.name}`), label: shown(it), note: `${it.provider} · ${number(it.uses)} today` };
    });
    const plain = PLAIN.filter((it) => it.includes(text.toLowerCase()));
    return [...plain.map((of): Choice => ({ value: named(of), label: spoken(named(of)) })), ...emotes];
  }

  /** Shows one series more. */
  add(series: string): void {
    const { views } = this.parts;
    if (views.now.of.includes(series)) return;
    // The oldest makes room.
    const before = views.now.of.slice(-(MOST_SERIES - 1));
    views.go({ of: [...before, series] }, "replace");
  }

  /** Makes the chips again. */
  list(): void {
    this.chips.clear();
    at("chips").replaceChildren(...this.parts.views.now.of.map((of, place) => this.chip(of, place)));
    this.show(this.readings);
  }

  private chip(of: string, place: number): HTMLElement {
    const { views } = this.parts;
    const { channel } = seriesOf(of);
    const emote = emoteOf(of);
    const value = h("span", { class: "reading" }, "–");
    const people = h("span", { class: "people" });
    this.chips.set(of, { value, people });
    const remove = (): void => {
      const left = views.now.of.filter((it) => it !== of);
      views.go({ of: left.length > 0 ? left : ["messages"] }, "replace");
      at("emote-input").focus();
    };
    const only = views.now.of.length === 1 && of === "messages";
    const label = h("span", { class: "of" }, channel === null ? null : `#${channel} `, emote ? shown(emote) : seriesOf(of).of);
    return h(
      "li",
      { class: `chip c${place}` },
      h("span", { class: "swatch", "aria-hidden": "true" }),
      label,
      value,
      people,
      only ? null : button("×", remove, { class: "less", "aria-label": `Remove ${spoken(of)}` }),
    );
  }

  /** Ids have become known: emotes of a link get their pictures. */
  picture(): void {
    const emotes = this.parts.views.now.of.filter(emoteOf).length;
    if (at("chips").querySelectorAll(".picture").length < emotes) this.list();
  }

  /** Shows values in the chips. */
  show(readings: Reading[]): void {
    this.readings = readings;
    for (const reading of readings) {
      if (isOutput(reading.of)) continue;
      const chip = this.chips.get(reading.of);
      if (!chip) continue;
      say(chip.value, reading.value === null ? "–" : number(reading.value));
      say(chip.people, reading.people ? counted(reading.people, "person", "people") : "");
    }
  }
}

function nothing(text: string): string {
  if (text.startsWith("#")) return "heatd has no other channel with this in its name";
  return text ? "no emote of the last day has this in its name" : "nobody has used an emote today";
}
