// `streak`: how many faves came in a row without a pause, and the record.

import { about, duration, get, integer, interests, put, safely, setting, show, text, values, wake } from "./heat.js";

export function describe() {
  return about("formula", "streak", "1.0.0", "Shows how many faves came in a row without a pause, and the record.", [
    duration("pause", 60_000, [1_000, 86_400_000], "How long after a fave the next one must come, or the streak is over."),
    integer("least", 2, [1, 1000], "So many faves in a row are a streak; fewer are not shown."),
    text("output", "streak", 64, "The name of the output that shows the streak while it lasts."),
    text("record_output", "streak-record", 64, "The name of the output that shows the longest streak of the stream. Empty for none."),
  ]);
}

export const takes = safely((settings) => {
  const { output, record_output: record } = values(settings);
  for (const name of [output, record]) {
    if (!/^[a-z0-9_-]*$/.test(name)) throw `the output "${name}" must be named with lower-case letters, digits, - and _`;
  }
  if (output === "") throw "`output` is empty: give the output a name, such as \"streak\"";
  if (output === record) throw `\`output\` and \`record_output\` are both "${output}": give them two names`;
  return interests({ kinds: ["faves", "streams"] });
});

export const handle = safely((now, event) => {
  const { tag, val } = event.what;
  if (tag === "fave") return val.weight > 0 ? longer(now) : [];
  if (tag === "timer") return over();
  if (tag === "stream-start") return [...over(), put("record", 0), ...showRecord("")];
  return [];
});

// One fave more. The timer is set again with each of them, so that it comes only after a pause.
function longer(now) {
  const length = get("length", 0) + 1;
  const effects = [put("length", length), wake("pause", now + setting("pause"))];
  if (length < setting("least")) return effects;
  effects.push(show(setting("output"), length));
  if (length > get("record", 0)) effects.push(put("record", length), ...showRecord(length));
  return effects;
}

function over() {
  return [put("length", 0), show(setting("output"), ""), wake("pause", null)];
}

function showRecord(value) {
  const name = setting("record_output");
  return name === "" ? [] : [show(name, value)];
}

export function migrate(_fromVersion, key, value) {
  return [{ key, value }];
}
