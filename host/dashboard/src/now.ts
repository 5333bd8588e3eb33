/** What happens now: outputs, whether the stream is live, and how fast chat is. Follows the feed. */
import { at, h, say } from "./dom.ts";
import { clock, duration, rate } from "./format.ts";
import type { Graph } from "./graph.ts";
import { Follow, type Parts } from "./parts.ts";
import { now as heatdsNow } from "./time.ts";
import type { ChannelStatus, Entry } from "./told.ts";

/** Over how much time the rate is taken, in milliseconds. */
const WINDOW = 10_000;

export class Now {
  private outputs = new Map<string, string>();
  private lines: number[] = [];
  private began = 0;
  private chosen = "";
  private stream: { state: string; since: number | null } = { state: "unknown", since: null };
  private readonly follow: Follow;

  constructor(
    private readonly parts: Parts,
    private readonly graph: Graph,
    /** Faves were counted, a rule has failed, or another output is shown. */
    private readonly news: (what: "fave" | "rules" | "output") => void,
  ) {
    this.follow = new Follow(
      (signal) => this.listen(signal),
      () => this.forget(),
    );
    const select = at<HTMLSelectElement>("output");
    select.addEventListener("change", () => parts.views.go({ output: select.value }, "replace"));
    parts.views.follow((view, before) => {
      if (view.channel !== before.channel) this.begin();
      this.choose();
    });
    setInterval(() => this.tick(), 1000);
  }

  begin(): void {
    this.forget();
    this.outputs.clear();
    this.chosen = "";
    this.follow.begin();
  }

  /** What the status tells comes before the feed does. */
  know(channel: ChannelStatus | undefined): void {
    if (!channel) return;
    for (const [name, text] of Object.entries(channel.outputs)) this.outputs.set(name, text);
    this.stream = channel.stream;
    this.choose();
  }

  private forget(): void {
    this.lines = [];
    this.began = 0;
  }

  private async listen(signal: AbortSignal): Promise<void> {
    const { api, views } = this.parts;
    if (!views.now.channel) return;
    const entries = api.events<Entry>("watch", { channel: views.now.channel }, signal);
    for await (const entry of entries) {
      if (signal.aborted) return;
      this.took(entry);
    }
  }

  private took(entry: Entry): void {
    this.began ||= Date.now();
    switch (entry.kind) {
      case "chat":
        this.lines.push(Date.now());
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
        if (entry.effects.some((it) => it.startsWith("fave"))) this.news("fave");
        break;
      case "fault":
        this.news("rules");
        break;
      default:
    }
  }

  /** The output that is asked for, or `heat`, or the first that is a number. */
  private choose(): void {
    const numeric = [...this.outputs].filter(([, text]) => isNumber(text)).map(([name]) => name);
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
    say(at("value"), this.outputs.get(output) || "–");
    const others = [...this.outputs].filter(([name, text]) => name !== output && text && !isNumber(text));
    const also = others.map(([, text]) => text).join(" · ");
    say(at("also"), also || (output ? "" : "no number yet"));
  }

  /** The output that is shown. */
  get output(): string {
    return this.chosen;
  }

  private tick(): void {
    const now = Date.now();
    this.lines = this.lines.filter((it) => it > now - WINDOW);
    const heard = this.began === 0 ? 0 : Math.min(now - this.began, WINDOW);
    say(at("rate"), heard < 2000 ? "–" : rate((this.lines.length * 1000) / heard));
    const { state, since } = this.stream;
    const live = at("stream");
    live.hidden = state !== "live";
    if (since !== null) {
      say(live, `live for ${duration((heatdsNow() - since) / 1000)}`);
      live.title = `since ${clock(since)}`;
    }
  }
}

export function isNumber(text: string): boolean {
  return /^[-+]?(\d+\.?\d*|\.\d+)/.test(text.trim());
}
