/** The bins that the graph shows: made of answers of the API, and continued by live events. Knows no elements and no clock. */
import type { Range } from "./intervals.ts";
import { isOutput } from "./series.ts";

/** One series of an answer: `[at, count, people]` for counts, `[at, level]` for outputs. Bins without anything are left out. */
export interface Curve {
  of: string;
  points: number[][];
  before?: number | null;
}

export interface Answer {
  interval_ms: number;
  from: number;
  to: number;
  series: Curve[];
  /** Times in which chat was not heard. */
  gaps?: [number, number][];
  /** Since when bins of this width are known of the channel. Null: nothing is known of it. */
  known_since?: number | null;
}

export interface LiveBins {
  of: string[];
  bins: { at: number; values: (number[] | null)[] }[];
}

export type Value = number | null;

export class Frame {
  /** When each bin begins, in milliseconds. */
  readonly times: number[] = [];
  readonly of: string[] = [];
  /** By series, then by bin. Null: nobody knows. */
  readonly values: Value[][] = [];
  readonly people: Value[][] = [];
  readonly width: number;

  /** Answers about the same time, one for each channel. `until`: bins that begin later are not known yet. */
  constructor(answers: [Answer, ...Answer[]], until: number) {
    const [{ interval_ms: width, from, to }] = answers;
    this.width = width;
    for (let at = from; at < to; at += width) this.times.push(at);
    for (const answer of answers) {
      const unknown = this.times.map((at) => at > until || isUnknown(answer, at, width));
      for (const curve of answer.series) {
        const [values, people] = isOutput(curve.of) ? [this.levels(curve, until), []] : this.counts(curve, unknown, until);
        this.of.push(curve.of);
        this.values.push(values);
        this.people.push(people);
      }
    }
  }

  private counts(curve: Curve, unknown: boolean[], until: number): [Value[], Value[]] {
    const values: Value[] = unknown.map((it) => (it ? null : 0));
    const people: Value[] = [...values];
    for (const [at, count, who] of curve.points) {
      const place = this.place(at ?? 0);
      // What a gap has counts all the same; what has not ended would look like a fall.
      if (place in values && (this.times[place] ?? 0) <= until) {
        values[place] = count ?? 0;
        people[place] = who ?? 0;
      }
    }
    return [values, people];
  }

  /** A level stays until it changes. */
  private levels(curve: Curve, until: number): Value[] {
    const set = new Map(curve.points.map(([at, level]) => [this.place(at ?? 0), level ?? null]));
    let level = curve.before ?? null;
    return this.times.map((at, place) => {
      level = set.get(place) ?? level;
      return at > until ? null : level;
    });
  }

  private place(at: number): number {
    return Math.floor((at - (this.times[0] ?? 0)) / this.width);
  }

  /** Takes newer values of some series, from a frame of bins as wide. */
  merge(newer: Frame): void {
    newer.times.forEach((at, place) => {
      const first = this.times[0];
      if (first === undefined || at < first) return;
      this.reach(at);
      newer.of.forEach((of, index) => {
        const series = this.of.indexOf(of);
        const [value, people] = [newer.values[index]?.[place], newer.people[index]?.[place]];
        if (series >= 0 && value != null) this.put(series, this.place(at), [value, people ?? 0]);
      });
    });
  }

  /** Takes live events. Bins that nobody has told of stay unknown; bins that began before `from` go. */
  take(live: LiveBins, from: number): void {
    for (const bin of live.bins) {
      const first = this.times[0];
      if (first === undefined || bin.at < first || bin.at < from) continue;
      this.reach(bin.at);
      const place = this.place(bin.at);
      live.of.forEach((of, index) => {
        const series = this.of.indexOf(of);
        if (series >= 0) this.put(series, place, bin.values[index] ?? null);
      });
    }
    const gone = this.times.findIndex((at) => at >= from);
    if (gone > 0) for (const list of [this.times, ...this.values, ...this.people]) list.splice(0, gone);
  }

  private reach(at: number): void {
    let last = this.times.at(-1) ?? at;
    while (last < at) {
      last += this.width;
      this.times.push(last);
      for (const list of [...this.values, ...this.people]) list.push(null);
    }
  }

  private put(series: number, place: number, value: number[] | null): void {
    const values = this.values[series];
    if (!values) return;
    if (!isOutput(this.of[series] ?? "")) {
      values[place] = value?.[0] ?? null;
      const people = this.people[series];
      if (people) people[place] = value?.[1] ?? null;
      return;
    }
    // None: it was not set within the bin, and is what it was.
    values[place] = value?.[0] ?? values[place] ?? lastKnown(values, place);
  }

  /** What a series counted in all, as far as is known. */
  total(series: number): number {
    return (this.values[series] ?? []).reduce<number>((sum, value) => sum + (value ?? 0), 0);
  }
}

/** Whether nothing was heard in all of a bin. One that was heard in part has a count, if a low one. */
function isUnknown({ gaps = [], known_since }: Answer, at: number, width: number): boolean {
  // An answer that does not say since when it knows is taken by its word.
  if (known_since === null || (known_since !== undefined && at + width <= known_since)) return true;
  return gaps.some(([from, to]) => from <= at && at + width <= to);
}

/** The last value that is known at or before a place. */
export function lastKnown(values: Value[], place: number): Value {
  for (let index = Math.min(place, values.length - 1); index >= 0; index -= 1) {
    const value = values[index];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

/** The stretches in which no series is known, up to where something is. */
export function holes(times: number[], values: Value[][]): [number, number][] {
  const found: [number, number][] = [];
  let begin: number | null = null;
  times.forEach((at, place) => {
    const known = values.some((it) => it[place] !== null && it[place] !== undefined);
    if (!known) begin ??= at;
    else if (begin !== null) {
      found.push([begin, at]);
      begin = null;
    }
  });
  return found;
}

/** The frame as a table that spreadsheets read (RFC 4180), with a row for each bin of the range. */
export function csv(frame: Frame, range: Range): string {
  const rows = [["time", "at_ms", ...frame.of.map(cell)].join(",")];
  frame.times.forEach((at, place) => {
    if (at < range.from || at >= range.to) return;
    const values = frame.values.map((values) => values[place] ?? "");
    rows.push([new Date(at).toISOString(), at, ...values].join(","));
  });
  return `${rows.join("\r\n")}\r\n`;
}

/** An apostrophe keeps a spreadsheet from running a name as a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
