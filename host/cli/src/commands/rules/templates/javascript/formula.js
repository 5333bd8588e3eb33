// `{{name}}`: one degree for each fave.
//
// What a rule can be told and can answer stands in wit/, from rule.wit on; heat.js makes it short to write.

import { about, get, integer, interests, put, safely, setting, show, text } from "./heat.js";

// What the rule says of itself, and its settings, each with a default. People set them in heatd's configuration.
export function describe() {
  return about("formula", "{{name}}", "0.1.0", "Shows one degree for each fave.", [
    integer("per_fave", 1, [1, 1000], "Degrees for each fave."),
    text("output", "{{name}}", 32, "The name of the output that shows the number."),
  ]);
}

// What the rule is called for. What is not asked for costs nothing. To refuse the settings, throw a text that says why.
export const takes = safely((settings) => interests({ kinds: ["faves"] }));

// Called for each fave, after it was counted, with the time in milliseconds. What it returns happens.
export const handle = safely((now, event) => {
  if (event.what.tag !== "fave") return [];
  // What has to last is kept as state, and never in a variable: an instance lives for at most 64 events.
  const degrees = get("degrees", 0) + setting("per_fave");
  return [put("degrees", degrees), show(setting("output"), degrees)];
});

// Called for each stored value once `stateVersion` in `about` has risen.
export function migrate(fromVersion, key, value) {
  return [{ key, value }];
}
