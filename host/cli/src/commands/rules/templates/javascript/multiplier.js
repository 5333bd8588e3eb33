// `{{name}}`: the fave of somebody who chats for the first time weighs more.
//
// What a rule can be told and can answer stands in wit/, from rule.wit on; heat.js makes it short to write.

import { about, integer, interests, safely, setting, weigh } from "./heat.js";

// What the rule says of itself, and its settings, each with a default. People set them in heatd's configuration.
export function describe() {
  return about("multiplier", "{{name}}", "0.1.0", "Multiplies the faves of people who chat for the first time.", [
    integer("factor", 2, [1, 100], "What a newcomer's fave is multiplied with."),
  ]);
}

// What the rule is called for. What is not asked for costs nothing. To refuse the settings, throw a text that says why.
export const takes = safely((settings) => interests({ kinds: ["faves"] }));

// Called for each fave before it is counted. An empty list leaves it as it is. A rule that has to remember something does so with
// `put` and `get`, and never in a variable: an instance lives for at most 64 events.
export const handle = safely((now, event) => {
  const { tag, val: fave } = event.what;
  if (tag !== "fave" || !fave.standing?.firstMessage) return [];
  return [weigh(fave.weight * setting("factor"))];
});

// Called for each stored value once `stateVersion` in `about` has risen.
export function migrate(fromVersion, key, value) {
  return [{ key, value }];
}
