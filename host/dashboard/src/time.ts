/** The time as heatd has it. The clock of a phone may be minutes off, and what it asks for would be of another time. */

let ahead = 0;

/** Smaller differences are those of the way here, and of a header that knows whole seconds. */
const NOTHING = 2500;

/** Takes the `Date` of an answer. */
export function heard(date: string | null, here = Date.now()): void {
  const there = date === null ? NaN : Date.parse(date);
  if (Number.isNaN(there)) return;
  ahead = Math.abs(there - here) < NOTHING ? 0 : there - here;
}

/** Now, in milliseconds since 1970. */
export function now(here = Date.now()): number {
  return here + ahead;
}
