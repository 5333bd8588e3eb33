/** What is chosen besides the series: the channel, the interval, the time and the scale; and links and tables of it. */
import type { Channels } from "./channels.ts";
import { at, button, h, say } from "./dom.ts";
import { csv } from "./frame.ts";
import type { Graph } from "./graph.ts";
import { fitted, INTERVALS, wordsOf } from "./intervals.ts";
import type { Parts } from "./parts.ts";
import { Picker } from "./picker.ts";
import { presets } from "./presets.ts";
import { emoteOf, seriesOf } from "./series.ts";

export class Filters {
  constructor(
    private readonly parts: Parts,
    private readonly channels: Channels,
  ) {
    at("channel").append(this.channelPicker().element);
    this.intervals();
    parts.views.follow(() => this.press());
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
      pick: (channel) => views.go({ channel, of: carried(views.now.of, channel), output: "", since: null }),
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

  private intervals(): void {
    const { views } = this.parts;
    for (const interval of INTERVALS) {
      const choose = (): void => {
        const { range } = views.now;
        views.go({ interval, range: range && fitted(range, interval), since: null });
      };
      at("intervals").append(
        button(interval, choose, { "data-interval": interval, title: wordsOf(interval) }),
      );
    }
  }

  private press(): void {
    const { interval, range, since, log } = this.parts.views.now;
    for (const one of at("intervals").children) {
      one.setAttribute("aria-pressed", String(one.getAttribute("data-interval") === interval));
    }
    at("now").setAttribute("aria-pressed", String(range === null && since === null));
    at("log").setAttribute("aria-pressed", String(log));
    at<HTMLButtonElement>("on").disabled = range === null;
  }

  /** Sets up the buttons that do something with the graph. */
  wire(graph: Graph): void {
    const { views } = this.parts;
    at("back").addEventListener("click", () => graph.move(-1));
    at("on").addEventListener("click", () => graph.move(1));
    at("now").addEventListener("click", () => views.go({ range: null, since: null }));
    at("log").addEventListener("click", () => views.go({ log: !views.now.log }, "replace"));
    presets(this.parts, (why) => say(at("no-preset"), why));
    views.follow(() => say(at("no-preset"), ""));
    at("link").addEventListener("click", () => void copyLink());
    at("csv").addEventListener("click", () => {
      if (graph.frame) download(`${views.now.channel}.csv`, csv(graph.frame, graph.range()));
    });
  }
}

/** The series that stay when another channel is chosen: emotes of one channel are seldom those of another. */
export function carried(of: string[], channel: string): string[] {
  const stay = of.filter((it) => (seriesOf(it).channel === null ? !emoteOf(it) : seriesOf(it).channel !== channel));
  return stay.length > 0 ? stay : ["messages"];
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
