/** Levels of an output: the names that a rule gives to stretches of its number, and where the curve went from one to another. */
import type { Value } from "./frame.ts";
import type { Rule } from "./types.ts";

export interface Level {
  name: string;
  /** The least number that has it. */
  from: number;
}

/** Where a curve has crossed the beginning of a level. */
export interface Crossing {
  at: number;
  /** What it was after that. */
  value: number;
  up: boolean;
  text: string;
}

/** The levels of the rule that shows this output, the lowest first: its setting `levels`, as it is now. */
export function levelsOf(rules: Rule[], output: string): Level[] {
  const rule = rules.find((it) => it.state !== "disabled" && it.state !== "quarantined" && it.settings?.["output"] === output);
  const table = rule?.settings?.["levels"];
  if (typeof table !== "object" || table === null) return [];
  const levels = Object.entries(table).flatMap(([name, from]) => (typeof from === "number" ? [{ name, from }] : []));
  return levels.sort((one, other) => one.from - other.from);
}

/** Where the values went from one level to another. What nobody knows is passed over. */
export function crossings(times: number[], values: Value[], levels: Level[]): Crossing[] {
  const found: Crossing[] = [];
  if (levels.length === 0) return found;
  const levelOf = (value: number): number => levels.filter((it) => value >= it.from).length;
  // An output that has begun in this time came from below all levels.
  let before: number | null = values[0] === null ? 0 : null;
  values.forEach((value, place) => {
    if (value === null || value === undefined) return;
    const level = levelOf(value);
    if (before !== null && level !== before) {
      const [up, name] = [level > before, levels[level - 1]?.name];
      const text = name === undefined ? `down below ${levels[0]?.name ?? ""}` : `${up ? "up" : "down"} to ${name}`;
      found.push({ at: times[place] ?? 0, value, up, text });
    }
    before = level;
  });
  return found;
}
