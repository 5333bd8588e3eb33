// `{{name}}`: counts how often viewers type a command, and shows the number.
//
// A working rule to begin with: change what you like. heat.js has what else a rule can ask for.

import { about, get, integer, interests, put, safely, say, setting, show, text } from "./heat.js";

// What the rule is, and the settings that its user can give it in heatd.toml.
export function describe() {
  return about("formula", "{{name}}", "0.1.0", "Counts how often viewers type a command.", [
    text("command", "?{{name}}", 50, "The command that is counted."),
    text("output", "{{name}}", 64, "The name of the output that shows the number."),
    integer("every", 10, [0, 1_000_000], "At each so many it is said in chat too; 0 for never."),
  ]);
}

// What the rule wants to be told of. Anything else does not reach it. A text that is thrown refuses the settings.
export const takes = safely((settings) => {
  const { command } = Object.fromEntries(settings.map(([name, value]) => [name, value.val]));
  if (command === "" || command.includes(" ")) throw `the command "${command}" must be one word, such as "?{{name}}"`;
  return interests({ commands: [command], kinds: ["streams"] });
});

// Called for each event, with the time in milliseconds. It returns what shall happen.
export const handle = safely((now, event) => {
  const { tag, val } = event.what;
  if (tag === "command") return counted(val.line.person);
  if (tag === "stream-start") return [put("count", 0), show(setting("output"), 0)];
  return [];
});

function counted(person) {
  // Not in a variable: an instance of the rule lives for a few events only. What is put is there the next time.
  const count = get("count", 0) + 1;
  const effects = [put("count", count), show(setting("output"), count)];
  const every = setting("every");
  if (every > 0 && count % every === 0) {
    effects.push(say(`${person.name} makes it ${count}!`));
  }
  return effects;
}

// Called for each stored value when `stateVersion` in `about` has risen. As long as it has not, this is never called.
export function migrate(fromVersion, key, value) {
  return [{ key, value }];
}
