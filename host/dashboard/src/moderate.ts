/** For moderators: orders to the rules, whether the stream is live, and taking back. */
import { ofChannel, words } from "./api.ts";
import { at, say, twice } from "./dom.ts";
import { duration } from "./format.ts";
import type { Range } from "./intervals.ts";
import { Orders } from "./orders.ts";
import type { Parts } from "./parts.ts";
import { TakeBack } from "./takeback.ts";
import { now } from "./time.ts";
import type { Rule, StreamState } from "./types.ts";

export class Moderate {
  readonly takeBack: TakeBack;
  private readonly orders: Orders;
  private stream: StreamState = { state: "unknown", since: null };

  constructor(
    private readonly parts: Parts,
    shown: () => Range,
  ) {
    this.orders = new Orders(parts);
    this.takeBack = new TakeBack(parts, shown);
    at("stream-start").addEventListener("click", () => void this.set("start"));
    twice(at("stream-end"), "Press again to end it", () => void this.set("end"));
    parts.views.follow((view, before) => view.channel !== before.channel && say(at("stream-answer"), ""));
    narrow();
  }

  /** `canOrder`: heatd takes orders by the API. */
  begin(canOrder: boolean): void {
    at("moderate").hidden = false;
    at("orders").hidden = !canOrder;
  }

  show(rules: Rule[]): void {
    this.orders.show(rules);
  }

  /** Whether the stream is live, as heatd knows. */
  showStream(stream: StreamState): void {
    this.stream = stream;
    const { state, since } = stream;
    const long = since === null ? "" : ` for ${duration((now() - since) / 1000)}`;
    const sentence = state === "live" ? `The stream ${since === null ? "is live" : `has been live${long}`}.` : state === "offline" ? `The stream has been offline${long}.` : "Nobody has said whether the stream is live.";
    say(at("stream-now"), sentence);
    at("stream-start").hidden = state === "live";
    at("stream-end").hidden = state === "offline";
  }

  private async set(state: "start" | "end"): Promise<void> {
    const { channel } = this.parts.views.now;
    say(at("stream-answer"), "…");
    try {
      const stream = await this.parts.api.post<StreamState>(ofChannel(channel, "stream"), { state });
      if (channel !== this.parts.views.now.channel) return;
      this.showStream(stream);
      say(at("stream-answer"), "Done.");
    } catch (error) {
      say(at("stream-answer"), words(error));
      this.showStream(this.stream);
    }
  }
}

/** On a phone moderation is above the graph; its place in the document moves, so that keys and screen readers meet it there too. */
function narrow(): void {
  const phone = matchMedia("(max-width: 640px)");
  const move = (): void => (phone.matches ? at("graph-card").before(at("moderate")) : at("left").prepend(at("moderate")));
  phone.addEventListener("change", move);
  move();
}
