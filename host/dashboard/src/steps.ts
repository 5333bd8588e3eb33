/** What heatd tells of work that takes time: step by step how far it is, one JSON object a line, and at the end how it went. */
import { duration } from "./format.ts";

/** Compiling is announced when it takes longer than this, in milliseconds. */
const WORTH_SAYING = 1000;

/** One line of such an answer. The last one has `message` or `refused`. */
export interface Step {
  step?: string;
  done?: number;
  total?: number;
  expected_ms?: number | null;
  elapsed_ms?: number;
  message?: string;
  refused?: string;
  /** On what a rule was tried. */
  checked?: string;
  outputs?: Record<string, { before: string | null; after: string | null }>;
  [more: string]: unknown;
}

/** Takes the lines apart, however they were cut on their way. */
export class StepLines {
  private rest = "";

  /** The steps that are complete with this piece. */
  feed(piece: string): Step[] {
    const lines = (this.rest + piece).split("\n");
    this.rest = lines.pop() ?? "";
    return lines.filter((it) => it.trim() !== "").map((it) => JSON.parse(it) as Step);
  }
}

const DOING: Record<string, string> = {
  compile: "Compiling",
  check: "Trying it on what happened before",
};

/** What heatd does in a step, in words. */
export function wordsOf({ step = "", expected_ms: expected }: Step): string {
  const what = DOING[step] ?? step;
  return expected && expected >= WORTH_SAYING ? `${what}, which takes about ${duration(expected / 1000)} …` : `${what} …`;
}

/** How much of a step is done, from 0 to 1; null where nobody knows. */
export function shareOf({ done = 0, total, expected_ms: expected, elapsed_ms: elapsed = 0 }: Step): number | null {
  if (total) return Math.min(done / total, 1);
  return expected ? Math.min(elapsed / expected, 1) : null;
}
