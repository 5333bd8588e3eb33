// `{{name}}`: what follows a command in chat becomes a fave.
//
// What a rule can be told and can answer stands in wit/, from rule.wit on; heat.js makes it short to write.

import { about, duration, fave, get, interests, put, safely, setting, text, values } from "./heat.js";

// What the rule says of itself, and its settings, each with a default. People set them in heatd's configuration.
export function describe() {
  return about("handler", "{{name}}", "0.1.0", "Makes a fave of what follows a command, once a minute for each person.", [
    text("command", "?{{name}}", 40, "What viewers type."),
    duration("cooldown", 60_000, [0, 3_600_000], "How long a person waits for the next fave."),
  ]);
}

// What the rule is called for. What is not asked for costs nothing. To refuse the settings, throw a text that says why.
export const takes = safely((settings) => interests({ commands: [values(settings).command] }));

// Called for each command. There is no clock: `now` is the time of the event, in milliseconds. What it returns happens.
export const handle = safely((now, event) => {
  if (event.what.tag !== "command") return [];
  const { line, arguments: item } = event.what.val;
  // What has to last is kept as state, and never in a variable: an instance lives for at most 64 events.
  const last = `last/${line.person.id}`;
  if (now < get(last, 0) + setting("cooldown")) return [];
  return [put(last, now), fave(line, item)];
});

// Called for each stored value once `stateVersion` in `about` has risen.
export function migrate(fromVersion, key, value) {
  return [{ key, value }];
}
