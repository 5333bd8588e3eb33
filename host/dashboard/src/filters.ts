/** What is chosen: the channel, the series as chips with their values, the interval, the time, and what can be taken away. */
import { ofChannel } from "./api.ts";
import type { Channels } from "./channels.ts";
import { at, button, h, say } from "./dom.ts";
import { learn, shown, type Emote } from "./emotes.ts";
import { counted, number } from "./format.ts";
import { csv, isLevel } from "./frame.ts";
import { spoken, type Graph, type Reading } from "./graph.ts";
import { fitted, INTERVALS, wordsOf } from "./intervals.ts";
import type { Parts } from "./parts.ts";
import { Picker, type Choice } from "./picker.ts";
import { now } from "./time.ts";
import { emoteOf, MOST_SERIES } from "./view.ts";

const DAY = 86_400_000;

export class Filters {
  private readonly chips = new Map<string, { value: HTMLElement; people: HTMLElement }>();
  private readings: Reading[] = [];

  constructor(
    private readonly parts: Parts,
    private readonly channels: Channels,
  ) {
    at("channel").append(this.channelPicker().element);
    at("add").append(this.seriesPicker().element);
    this.intervals();
    parts.views.follow((view, before) => {
      this.press();
      if (view.of.join() !== before.of.join()) this.list();
    });
    this.list();
    this.press();
  }

  private channelPicker(): Picker {
    const { views } = this.parts;
    const picker = new Picker({
      id: "channel-input",
      label: "Channel",
      placeholder: "channel",
      suggest: async (text) => {
        const fitting = this.channels.fitting(text);
        return fitting.map(({ name, here }) => ({ value: name, label: `#${name}`, ...(here ? {} : { note: "heatd has left it" }) }));
      },
      // Emotes of one channel are seldom those of another.
      pick: (channel) => views.go({ channel, of: views.now.of.filter((it) => !emoteOf(it)), output: "" }),
      nothing: () => "heatd has no such channel",
    });
    const show = (): void => {
      picker.input.defaultValue = views.now.channel && `#${views.now.channel}`;
      picker.input.value = picker.input.defaultValue;
    };
    views.follow(show);
    show();
    return picker;
  }

  private seriesPicker(): Picker {
    const { views, api } = this.parts;
    return new Picker({
      id: "emote-input",
      label: "Add a series: messages, faves, or an emote of this channel",
      placeholder: "+ emote",
      suggest: async (text) => {
        const query = { count: 30, from: now() - DAY, ...(text ? { search: text } : {}) };
        const found = await api.get<{ emotes: (Emote & { uses: number })[] }>(ofChannel(views.now.channel, "emotes"), query);
        learn(found.emotes);
        const emotes = found.emotes.map((it): Choice => {
          return { value: `emote:${it.provider}:${it.name}`, label: shown(it), note: `${it.provider} · ${number(it.uses)} today` };
        });
        const plain = ["messages", "faves"].filter((it) => it.includes(text.toLowerCase()));
        const all = [...plain.map((value): Choice => ({ value, label: value })), ...emotes];
        return all.filter((it) => !views.now.of.includes(it.value));
      },
      pick: (series) => this.add(series),
      nothing: (text) => (text ? "no emote of the last day has this in its name" : "nobody has used an emote today"),
    });
  }

  /** Shows one series more. */
  add(series: string): void {
    const { views } = this.parts;
    if (views.now.of.includes(series)) return;
    // The oldest makes room.
    const before = views.now.of.slice(-(MOST_SERIES - 1));
    views.go({ of: [...before, series] }, "replace");
  }

  private intervals(): void {
    const { views } = this.parts;
    for (const interval of INTERVALS) {
      const choose = (): void => {
        const { range } = views.now;
        views.go({ interval, range: range && fitted(range, interval) });
      };
      at("intervals").append(
        button(interval, choose, { "data-interval": interval, title: wordsOf(interval) }),
      );
    }
  }

  private press(): void {
    const { interval, range } = this.parts.views.now;
    for (const one of at("intervals").children) {
      one.setAttribute("aria-pressed", String(one.getAttribute("data-interval") === interval));
    }
    at("now").setAttribute("aria-pressed", String(range === null));
    at<HTMLButtonElement>("on").disabled = range === null;
  }

  /** Sets up the buttons that do something with the graph. */
  wire(graph: Graph): void {
    const { views } = this.parts;
    at("back").addEventListener("click", () => graph.move(-1));
    at("on").addEventListener("click", () => graph.move(1));
    at("now").addEventListener("click", () => views.go({ range: null }));
    at("link").addEventListener("click", () => void copyLink());
    at("csv").addEventListener("click", () => {
      if (graph.frame) download(`${views.now.channel}.csv`, csv(graph.frame, graph.range()));
    });
  }

  /** The chips anew. */
  list(): void {
    const { views } = this.parts;
    this.chips.clear();
    const chips = views.now.of.map((of, place) => {
      const emote = emoteOf(of);
      const value = h("span", { class: "reading" }, "–");
      const people = h("span", { class: "people" });
      this.chips.set(of, { value, people });
      const less = (): void => {
        const left = views.now.of.filter((it) => it !== of);
        views.go({ of: left.length > 0 ? left : ["messages"] }, "replace");
        at("emote-input").focus();
      };
      const only = views.now.of.length === 1 && of === "messages";
      return h(
        "li",
        { class: `chip c${place}` },
        h("span", { class: "swatch", "aria-hidden": "true" }),
        emote ? shown(emote) : of,
        value,
        people,
        only ? null : button("×", less, { class: "less", "aria-label": `Leave out ${spoken(of)}` }),
      );
    });
    at("chips").replaceChildren(...chips);
    this.show(this.readings);
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
      if (isLevel(reading.of)) continue;
      const chip = this.chips.get(reading.of);
      if (!chip) continue;
      say(chip.value, reading.value === null ? "–" : number(reading.value));
      say(chip.people, reading.people ? counted(reading.people, "person", "people") : "");
    }
  }
}

async function copyLink(): Promise<void> {
  const link = at("link");
  try {
    await navigator.clipboard.writeText(location.href);
    say(link, "Copied");
  } catch {
    // Browsers forbid it where a page came without TLS from another machine; the address bar has the same.
    say(link, "See address bar");
  }
  setTimeout(() => say(link, "Copy link"), 2000);
}

function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = h("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
