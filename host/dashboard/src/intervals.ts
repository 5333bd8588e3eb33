/** The six widths of a bin, and how much time is shown with each. */

export const INTERVALS = ["1s", "5s", "30s", "1m", "5m", "1h"] as const;
export type Interval = (typeof INTERVALS)[number];

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const WIDTHS: Record<Interval, number> = {
  "1s": SECOND,
  "5s": 5 * SECOND,
  "30s": 30 * SECOND,
  "1m": MINUTE,
  "5m": 5 * MINUTE,
  "1h": HOUR,
};

/** How much is shown when nobody has zoomed. */
const SPANS: Record<Interval, number> = {
  "1s": 5 * MINUTE,
  "5s": 15 * MINUTE,
  "30s": HOUR,
  "1m": 2 * HOUR,
  "5m": 12 * HOUR,
  "1h": 7 * 24 * HOUR,
};

const WORDS: Record<Interval, string> = {
  "1s": "1 second",
  "5s": "5 seconds",
  "30s": "30 seconds",
  "1m": "1 minute",
  "5m": "5 minutes",
  "1h": "1 hour",
};

/** How long heatd keeps bins of each width, unless its configuration says otherwise. */
const KEPT: Record<Interval, number> = {
  "1s": 24 * HOUR,
  "5s": 3 * 24 * HOUR,
  "30s": 14 * 24 * HOUR,
  "1m": 30 * 24 * HOUR,
  "5m": 365 * 24 * HOUR,
  "1h": Infinity,
};

/** More bins than this are no longer told apart. */
const USEFUL_BINS = 1200;

/** As many bins are drawn well. */
const MOST_BINS = 4000;
const FEWEST_BINS = 12;

export function isInterval(text: string | null): text is Interval {
  return INTERVALS.includes(text as Interval);
}

export const widthOf = (interval: Interval): number => WIDTHS[interval];
export const spanOf = (interval: Interval): number => SPANS[interval];
export const wordsOf = (interval: Interval): string => WORDS[interval];

/** The width for a stretch of time that was zoomed to: the one there is, or a finer one where too few bins would be left. */
export function forZoom(current: Interval, span: number): Interval {
  const finer = INTERVALS.slice(0, INTERVALS.indexOf(current) + 1).reverse();
  return finer.find((it) => span / WIDTHS[it] >= FEWEST_BINS) ?? "1s";
}

/** The width for a whole stretch of time: fine enough to see something, and still kept. */
export function forWhole({ from, to }: Range, now: number): Interval {
  return INTERVALS.find((it) => (to - from) / WIDTHS[it] <= USEFUL_BINS && now - from <= KEPT[it]) ?? "1h";
}

export interface Range {
  from: number;
  to: number;
}

/** The time around the same middle that can be shown with this width. */
export function fitted(range: Range, interval: Interval): Range {
  const bins = (range.to - range.from) / WIDTHS[interval];
  if (bins >= FEWEST_BINS && bins <= MOST_BINS) return range;
  const middle = (range.from + range.to) / 2;
  const half = SPANS[interval] / 2;
  return { from: Math.round(middle - half), to: Math.round(middle + half) };
}
