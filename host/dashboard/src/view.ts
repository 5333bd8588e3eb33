/** What the page shows, as it is written in its address: everybody who opens the same link sees the same. */
import { isInterval, type Interval, type Range } from "./intervals.ts";
import { isSeries } from "./series.ts";

export interface View {
  /** Empty: the first that heatd has. */
  channel: string;
  interval: Interval;
  /** The series of the graph. */
  of: string[];
  /** The output that is shown as the number. Empty: `heat`, or the first one that is a number. */
  output: string;
  /** A time that has an end. */
  range: Range | null;
  /** Live, and from this time on. Null: as much as the interval shows. */
  since: number | null;
  /** Whether the scale is logarithmic, so that small numbers are seen beside large ones. */
  log: boolean;
}

/** The most series in a graph; the palette has as many colours. */
export const MOST_SERIES = 8;

/** Times beyond this are no times (the largest that a Date has). */
const LATEST = 8.64e15;

export function read(hash: string): View {
  const pairs = new URLSearchParams(hash.replace(/^#/, ""));
  const interval = pairs.get("interval");
  const of = [...new Set(pairs.getAll("of").filter(isSeries))].slice(0, MOST_SERIES);
  const [from, to] = [time(pairs.get("from")), time(pairs.get("to"))];
  return {
    channel: pairs.get("channel") ?? "",
    interval: isInterval(interval) ? interval : "5s",
    of: of.length > 0 ? of : ["messages"],
    output: pairs.get("output") ?? "",
    range: from !== null && to !== null && from < to ? { from, to } : null,
    since: pairs.has("to") ? null : from,
    log: pairs.get("scale") === "log",
  };
}

export function write(view: View): string {
  const pairs = new URLSearchParams();
  if (view.channel) pairs.set("channel", view.channel);
  pairs.set("interval", view.interval);
  for (const of of view.of) pairs.append("of", of);
  if (view.output) pairs.set("output", view.output);
  if (view.log) pairs.set("scale", "log");
  if (view.range) {
    pairs.set("from", String(view.range.from));
    pairs.set("to", String(view.range.to));
  } else if (view.since !== null) {
    pairs.set("from", String(view.since));
  }
  return `#${pairs}`;
}

/** The token of a link, and the link without it. */
export function takeToken(hash: string): { token: string | null; rest: string } {
  const pairs = new URLSearchParams(hash.replace(/^#/, ""));
  const token = pairs.get("token");
  pairs.delete("token");
  const rest = pairs.toString();
  return { token, rest: rest && `#${rest}` };
}

function time(text: string | null): number | null {
  if (text === null || !/^\d{1,16}$/.test(text)) return null;
  const number = Number(text);
  return number <= LATEST ? number : null;
}

/** The view, for the parts of the page that follow it. */
export class Views {
  private readonly followers: ((view: View, before: View) => void)[] = [];

  constructor(private view: View) {}

  get now(): View {
    return this.view;
  }

  follow(follower: (view: View, before: View) => void): void {
    this.followers.push(follower);
  }

  /** Goes somewhere that the browser's way back leads away from again; small changes replace what was there. */
  go(change: Partial<View>, how: "push" | "replace" = "push"): void {
    const next = { ...this.view, ...change };
    const hash = write(next);
    if (hash === write(this.view)) return;
    history[how === "push" ? "pushState" : "replaceState"](null, "", hash);
    this.set(next);
  }

  /** The address was changed from outside. */
  set(next: View): void {
    const before = this.view;
    this.view = next;
    for (const follower of this.followers) follower(next, before);
  }
}
