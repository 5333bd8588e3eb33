/** The graph: loads what the view asks for, continues it while it is live, and says what is under the cursor. */
import { ofChannel, words } from "./api.ts";
import { Chart, type Line } from "./chart.ts";
import { at, say } from "./dom.ts";
import type { Mark } from "./draw.ts";
import { learn, type Emote } from "./emotes.ts";
import { moment, number, stretch } from "./format.ts";
import { Frame, lastKnown, type Answer, type LiveBins } from "./frame.ts";
import { forZoom, spanOf, widthOf, wordsOf, type Range } from "./intervals.ts";
import { crossings, levelsOf, type Level } from "./levels.ts";
import { askOthers, followOthers } from "./others.ts";
import { Follow, type Parts } from "./parts.ts";
import { emoteOf, isOutput, seriesOf, spoken } from "./series.ts";
import { now } from "./time.ts";
import type { Entry, Rule } from "./types.ts";
import type { View } from "./view.ts";

/** The value of one series in one bin. */
export interface Reading {
  of: string;
  value: number | null;
  people: number | null;
}

/** A device for fingers, as in the style sheet: nothing speaks of keys there. */
const FINGERS = "(hover: none), (pointer: coarse), (max-width: 640px)";

export class Graph {
  frame: Frame | null = null;
  private readonly counts: Chart;
  private readonly level: Chart;
  private readonly follow: Follow;
  private marks: Mark[] = [];
  private rules: Rule[] = [];
  private levels: Level[] = [];
  private output = "";
  private loads = 0;
  private hovered: number | null = null;

  constructor(
    private readonly parts: Parts,
    /** Called with what is under the cursor, or with what is newest. */
    private readonly read: (readings: Reading[]) => void,
    /** Called with what else the stream tells; with null when it breaks off. */
    private readonly heard: (entry: Entry | null) => void,
  ) {
    const hover = (place: number | null): void => this.hover(place);
    const zoom = (range: Range): void => this.zoom(range);
    const move = (direction: number): void => this.move(direction);
    const small = innerWidth < 640;
    this.level = new Chart({ element: at("level"), height: small ? 110 : 130, empty: "No number yet", hover, zoom, move });
    this.counts = new Chart({ element: at("graph"), height: small ? 220 : 290, empty: "Nothing was counted in this time", hover, zoom, move });
    this.follow = new Follow(
      (signal) => this.carryOn(signal),
      (error) => {
        this.trouble(error);
        this.heard(null);
      },
    );
    parts.views.follow((view, before) => this.changed(view, before));
  }

  /** Which output is shown as the level. */
  setOutput(output: string): void {
    if (output === this.output) return;
    this.output = output;
    this.levels = levelsOf(this.rules, output);
    this.begin();
  }

  /** What runs in the channel, and when that was changed. */
  setRules(rules: Rule[], marks: Mark[]): void {
    [this.rules, this.marks] = [rules, marks];
    this.levels = levelsOf(rules, this.output);
    this.draw();
  }

  recolour(): void {
    this.level.again();
    this.counts.again();
  }

  private changed(view: View, before: View): void {
    // The output follows by itself, once it is known.
    const same = { ...view, output: before.output, log: before.log };
    if (JSON.stringify(same) !== JSON.stringify(before)) this.begin();
    else if (view.log !== before.log) this.draw();
  }

  /** Which time is shown. */
  range(): Range {
    const { range, since, interval } = this.parts.views.now;
    if (range) return range;
    const width = widthOf(interval);
    const end = Math.ceil(now() / width) * width;
    const from = since === null ? end - spanOf(interval) : Math.min(since, end - width);
    return { from, to: end };
  }

  /** Starts again: other series, another time, or the same after the connection was lost. */
  begin(): void {
    this.follow.begin();
  }

  /** The series of the channel that is shown. */
  private of(): string[] {
    const of = this.parts.views.now.of.filter((it) => seriesOf(it).channel === null);
    // What is shown for the channel itself is its messages, where only other channels were chosen.
    const mine = of.length > 0 || this.output ? of : ["messages"];
    return this.output ? [...mine, `output:${this.output}`] : mine;
  }

  /** Bins that begin later are not drawn: what has just begun looks like a fall. Wide ones are worth seeing all the same. */
  private readonly until = (): number => {
    const width = widthOf(this.parts.views.now.interval);
    return now() - (isNarrow(width) ? width : 0);
  };

  private async carryOn(signal: AbortSignal): Promise<void> {
    const { channel, interval, range, of: all } = this.parts.views.now;
    if (!channel) return;
    const { api } = this.parts;
    const load = (this.loads += 1);
    const shown = this.range();
    const query = { interval, ...shown };
    const [answer, others] = await Promise.all([
      api.get<Answer>(ofChannel(channel, "series"), { of: this.of(), ...query }, signal),
      askOthers(api, all, query, signal),
    ]);
    if (load !== this.loads) return;
    this.frame = new Frame([answer, ...others.answers], this.until());
    this.trouble(others.problems.length > 0 ? new Error(others.problems.join("; ")) : null);
    this.draw();
    void this.learnNames(channel, shown);
    const ended = new AbortController();
    const growth = AbortSignal.any([signal, ended.signal]);
    if (!range) void followOthers(api, all, interval, this.until, (newer) => this.grow(load, (frame) => frame.merge(newer)), growth);
    await this.listen(load, signal).finally(() => ended.abort());
  }

  /** Follows the stream of the channel until it breaks off. */
  private async listen(load: number, signal: AbortSignal): Promise<void> {
    const { api, views } = this.parts;
    const { channel, interval, range } = views.now;
    // In the past nothing grows, and there is news all the same.
    const wish = range ? { of: "messages", interval: "1h" } : { of: this.of(), interval };
    for await (const event of api.events<LiveBins | Entry>(ofChannel(channel, "live"), { ...wish, news: "true" }, signal)) {
      if (load !== this.loads) return;
      if ("kind" in event) this.heard(event);
      else if (!range) this.grow(load, (frame) => frame.take(event, this.range().from));
    }
  }

  private grow(load: number, change: (frame: Frame) => void): void {
    if (load !== this.loads || !this.frame) return;
    change(this.frame);
    this.draw();
  }

  /** Pictures of the emotes that a link has named. */
  private async learnNames(channel: string, { from, to }: Range): Promise<void> {
    for (const of of this.parts.views.now.of) {
      const emote = emoteOf(of);
      if (!emote) continue;
      const query = { search: emote.name, from, to, count: 20 };
      const found = await this.parts.api.get<{ emotes: Emote[] }>(ofChannel(seriesOf(of).channel ?? channel, "emotes"), query).catch(() => null);
      if (found) learn(found.emotes);
    }
  }

  private trouble(error: unknown): void {
    const place = at("trouble");
    place.hidden = error === null;
    say(place, error === null ? "" : words(error));
  }

  private zoom(range: Range): void {
    const { views } = this.parts;
    const least = 10_000;
    const missing = Math.max(least - (range.to - range.from), 0) / 2;
    const wide = { from: Math.max(0, Math.floor(range.from - missing)), to: Math.ceil(range.to + missing) };
    views.go({ range: wide, since: null, interval: coarse(forZoom(views.now.interval, wide.to - wide.from), wide) });
  }

  /** Back or on by half of what is shown; on beyond the present is live again. */
  move(direction: number): void {
    const { from, to } = this.range();
    const step = ((to - from) / 2) * direction;
    const next = { from: Math.max(0, Math.round(from + step)), to: Math.round(to + step) };
    this.parts.views.go({ range: next.to >= now() ? null : next, since: null });
  }

  private draw(): void {
    const { frame } = this;
    if (!frame) return;
    const range = this.range();
    const { log, of: chosen } = this.parts.views.now;
    const counts = chosen.map((of) => frame.of.indexOf(of)).filter((place) => place >= 0);
    const levels = frame.of.flatMap((of, place) => (isOutput(of) ? [place] : []));
    const line = (place: number): Line => {
      const of = frame.of[place] ?? "";
      const isLevel = isOutput(of);
      return { label: of, colour: isLevel ? "heat" : `c${chosen.indexOf(of)}`, stepped: isLevel, filled: isLevel || counts.length === 1 };
    };
    const valuesOf = (places: number[]): (number | null)[][] => places.map((place) => frame.values[place] ?? []);
    this.counts.show(counts.map(line), frame.times, valuesOf(counts), range, { log });
    const crossed = crossings(frame.times, frame.values[levels[0] ?? -1] ?? [], this.levels);
    const marks = [...this.marks, ...crossed.map(({ at, text, ...on }): Mark => ({ at, text, on }))];
    this.level.show(levels.map(line), frame.times, valuesOf(levels), range, { marks, levels: this.levels, log });
    // Until when bins are drawn: the measurement of the delay reads it.
    at("graph").dataset["until"] = String((frame.times.at(-1) ?? 0) + frame.width);
    this.describe(frame, range);
    this.hover(this.hovered);
  }

  private hover(place: number | null): void {
    const { frame } = this;
    this.hovered = place;
    if (!frame) return;
    const readings = frame.of.map((of, series) => ({
      of,
      value: place === null ? newest(frame, series) : (frame.values[series]?.[place] ?? null),
      people: place === null ? null : (frame.people[series]?.[place] ?? null),
    }));
    this.read(readings);
    const range = this.range();
    const marks = place === null ? [] : this.level.marksNear(place).map((mark) => mark.text);
    const when = place === null ? stretch(range.from, range.to) : moment(frame.times[place] ?? 0);
    say(at("when"), [when, ...marks].join(" · "));
    if (place !== null && at("page").contains(document.activeElement) && document.activeElement?.matches(".plot")) {
      const values = readings.map((it) => `${spoken(it.of)} ${it.value === null ? "unknown" : number(it.value)}`);
      say(at("said"), `${when}: ${values.join(", ")}${marks.length > 0 ? `. ${marks.join(". ")}` : ""}`);
    }
  }

  /** For people who do not see the graph. */
  private describe(frame: Frame, range: Range): void {
    const { interval } = this.parts.views.now;
    const keys = matchMedia(FINGERS).matches ? "" : " Arrow keys read single bins.";
    const time = `${wordsOf(interval)} a bin, ${stretch(range.from, range.to)}`;
    const sums = frame.of.flatMap((of, place) => (isOutput(of) ? [] : [`${spoken(of)} ${number(frame.total(place))} in all`]));
    at("graph").setAttribute("aria-label", `Counts over time, ${time}: ${sums.join(", ")}.${keys}`);
    const level = frame.of.findIndex(isOutput);
    const last = level < 0 ? null : lastKnown(frame.values[level] ?? [], frame.times.length - 1);
    const newest = last === null ? "not a number yet" : `last ${number(last)}`;
    at("level").setAttribute("aria-label", `${this.output || "Level"} over time: ${newest}.${keys}`);
  }
}

/** Wide enough that an answer is not too large. */
function coarse(interval: View["interval"], range: Range): View["interval"] {
  const fits = (["1s", "5s", "30s", "1m", "5m", "1h"] as const).find((it) => (range.to - range.from) / widthOf(it) <= 4000);
  const wide = fits ?? "1h";
  return widthOf(wide) > widthOf(interval) ? wide : interval;
}

function isNarrow(width: number): boolean {
  return width <= widthOf("30s");
}

function newest(frame: Frame, series: number): number | null {
  return lastKnown(frame.values[series] ?? [], frame.times.length - 1);
}

