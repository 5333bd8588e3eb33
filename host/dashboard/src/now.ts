/** What happens now: outputs, whether the stream is live, and how fast chat is. */
import { at, h, say } from "./dom.ts";
import { clock, duration, rate } from "./format.ts";
import type { Graph } from "./graph.ts";
import type { Parts } from "./parts.ts";
import { now as heatdsNow } from "./time.ts";
import type { ChannelStatus, Entry, StreamState } from "./types.ts";

/** So many characters the number has room for, in steps: three digits at first. */
const ROOM = [3, 6, 10];

export class Now {
  private outputs = new Map<string, string>();
  private chosen = "";
  private stream: StreamState = { state: "unknown", since: null };

  constructor(
    private readonly parts: Parts,
    private readonly graph: Graph,
    /** Faves were counted, a rule has failed, or another output is shown. */
    private readonly news: (what: "fave" | "rules" | "output") => void,
    /** Whether the stream is live; again each second. */
    private readonly streams: (stream: StreamState) => void,
  ) {
    const select = at<HTMLSelectElement>("output");
    select.addEventListener("change", () => parts.views.go({ output: select.value }, "replace"));
    parts.views.follow((view, before) => {
      if (view.channel !== before.channel) this.begin();
      this.choose();
    });
    setInterval(() => this.tick(), 1000);
  }

  begin(): void {
    this.outputs.clear();
    this.chosen = "";
    this.stream = { state: "unknown", since: null };
    delete at("value").dataset["room"];
    say(at("rate"), "–");
    this.tick();
  }

  /** What the status tells comes before the feed does. */
  know(channel: ChannelStatus | undefined): void {
    if (!channel) return;
    for (const [name, text] of Object.entries(channel.outputs)) this.outputs.set(name, text);
    this.stream = channel.stream;
    this.choose();
  }

  /** Takes a piece of news; null when there is none for now. */
  took(entry: Entry | null): void {
    if (entry === null) return say(at("rate"), "–");
    switch (entry.kind) {
      case "rate":
        say(at("rate"), rate(entry.lines / entry.seconds));
        break;
      case "output":
        if (entry.text === null) this.outputs.delete(entry.name);
        else this.outputs.set(entry.name, entry.text);
        this.choose();
        break;
      case "stream":
        this.stream = entry;
        this.tick();
        break;
      case "rule":
      case "missed":
        this.news("fave");
        break;
      case "fault":
        this.news("rules");
        break;
      default:
    }
  }

  /** The output that is asked for, or `heat`, or the first that is a number. */
  private choose(): void {
    const notices = [...this.outputs].filter(([name, text]) => isNotice(name) && text).map(([, text]) => text);
    at("notice").hidden = notices.length === 0;
    say(at("notice"), notices.join(" · "));
    const numeric = [...this.outputs].filter(([name, text]) => isNumber(text) && !isNotice(name)).map(([name]) => name);
    const names = numeric.sort();
    const wanted = this.parts.views.now.output;
    const output = wanted || (names.includes("heat") ? "heat" : (names[0] ?? ""));
    const options = wanted && !names.includes(wanted) ? [wanted, ...names] : names;
    const select = at<HTMLSelectElement>("output");
    if ([...select.options].map((it) => it.value).join("\n") !== options.join("\n")) {
      select.replaceChildren(...options.map((name) => h("option", { value: name }, name)));
    }
    select.value = output;
    select.disabled = options.length < 2;
    select.hidden = options.length === 0;
    const before = this.chosen;
    this.chosen = output;
    this.graph.setOutput(output);
    if (output !== before) this.news("output");
    this.number(this.outputs.get(output) || "–");
    const others = [...this.outputs].filter(([name, text]) => name !== output && text && !isNumber(text) && !isNotice(name));
    const also = others.map(([, text]) => text).join(" · ");
    say(at("also"), also || (output ? "" : "no number yet"));
  }

  /** The number keeps room for what it was: what is beside it moves when a number grows past all before, and never back. */
  private number(text: string): void {
    const value = at("value");
    say(value, text);
    const room = ROOM.find((it) => text.length <= it) ?? ROOM.at(-1) ?? 3;
    if (room > Number(value.dataset["room"] ?? 0)) value.dataset["room"] = String(room);
  }

  /** The output that is shown. */
  get output(): string {
    return this.chosen;
  }

  private tick(): void {
    const { state, since } = this.stream;
    this.streams(this.stream);
    const live = at("stream");
    live.hidden = state !== "live";
    if (since !== null) {
      say(live, `live for ${duration((heatdsNow() - since) / 1000)}`);
      live.title = `since ${clock(since)}`;
    }
  }
}

/** A state that everybody has to know of, such as that faves are paused. */
function isNotice(output: string): boolean {
  return output.startsWith("notice-");
}

export function isNumber(text: string): boolean {
  return /^[-+]?(\d+\.?\d*|\.\d+)/.test(text.trim());
}
