/** Stretches of time by one press: this stream, the last stream, everything that is known. */
import { ofChannel, words } from "./api.ts";
import { at } from "./dom.ts";
import { forWhole } from "./intervals.ts";
import type { Parts } from "./parts.ts";
import { now } from "./time.ts";
import type { View } from "./view.ts";

/** A stream as the API has it. Without an end it is live. */
export interface Stream {
  from: number;
  to: number | null;
}

interface Known {
  /** The newest first. */
  streams: Stream[];
  /** When heatd began to count in the channel. */
  known_since: number | null;
}

export type Preset = "this" | "last" | "all";

/** The view of a preset, or why there is none. */
export function viewOf(preset: Preset, { streams, known_since }: Known, time: number): Partial<View> | string {
  const live = streams.find((it) => it.to === null);
  if (preset === "this") return live ? growing(live.from, time) : "The stream is not live.";
  if (preset === "all") return known_since === null ? "Nothing is known of this channel yet." : growing(known_since, time);
  const last = streams.find((it) => it.to !== null);
  if (!last || last.to === null) return "No stream that has ended is known.";
  const range = { from: last.from, to: Math.max(last.to, last.from + 1000) };
  return { range, since: null, interval: forWhole(range, time) };
}

/** From a time on, live. */
function growing(from: number, time: number): Partial<View> {
  return { range: null, since: from, interval: forWhole({ from, to: time }, time) };
}

/** Sets the buttons up. `trouble` shows what is wrong. */
export function presets(parts: Parts, trouble: (why: string) => void): void {
  for (const button of at("presets").children) {
    button.addEventListener("click", () => void choose(parts, button.getAttribute("data-preset") as Preset).then(trouble));
  }
}

async function choose({ api, views }: Parts, preset: Preset): Promise<string> {
  const { channel } = views.now;
  try {
    const known = await api.get<Known>(ofChannel(channel, "streams"), { count: 2 });
    if (channel !== views.now.channel) return "";
    const view = viewOf(preset, known, now());
    if (typeof view === "string") return view;
    views.go(view);
    return "";
  } catch (error) {
    return words(error);
  }
}
