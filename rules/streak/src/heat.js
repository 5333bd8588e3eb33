// What makes a rule short to write: settings, effects and state in plain values. The contract itself is wit/rule.wit.
//
// Times are milliseconds, and weights thousandths of a fave. Both arrive as numbers.

import * as config from "heat:rules/config@1.0.0";
import * as counted from "heat:rules/counts@1.0.0";
import * as log from "heat:rules/log@1.0.0";
import * as outputs from "heat:rules/outputs@1.0.0";
import * as state from "heat:rules/state@1.0.0";

// ---- What a rule says of itself -------------------------------------------------------------------------------------------

// What `describe` returns. `role` is "formula", "multiplier" or "handler".
export const about = (role, name, version, summary, settings = []) => ({ name, version, summary, role, stateVersion: 1, settings });

const entry = (tag) => (name, val, help) => ({ name, kind: { tag, val }, help });
const bounded = (tag) => (name, value, [min, max], help) => ({ name, kind: { tag, val: { default: value, min, max } }, help });

// The settings: its name, its default, perhaps its bounds, and a sentence for the person who sets it.
export const boolean = entry("boolean");
export const integer = bounded("integer");
export const number = bounded("number");
export const duration = bounded("duration");
export const text = (name, value, maxLength, help) => ({ name, kind: { tag: "text", val: { default: value, maxLength } }, help });
export const choice = (name, choices, help) => ({ name, kind: { tag: "choice", val: { choices } }, help });
export const texts = entry("texts");
export const numbers = entry("numbers");

// What `takes` returns: `interests({ kinds: ["faves"], commands: ["?hug"] })`.
export const interests = (wanted) => ({ commands: [], words: [], topics: [], kinds: [], needs: [], ...wanted });

// The settings that `takes` is given, as an object: `values(settings).output`.
export const values = (settings) => Object.fromEntries(settings.map(([name, value]) => [name, value.val]));

// ---- What a rule reads ----------------------------------------------------------------------------------------------------

// The value of one of the rule's settings.
export const setting = (name) => config.get(name).val;

// What `put` has stored under a key, as it stood before this call; `otherwise` when there is nothing.
export function get(key, otherwise = null) {
  const bytes = state.get(key);
  return bytes === null || bytes === undefined ? otherwise : JSON.parse(decode(bytes));
}

// All keys that begin so, with their values, in order: `for (const [key, value] of scan("song/"))`. At most so many, after `after`.
export function scan(prefix = "", { after = null, limit = 100 } = {}) {
  return state.scan(prefix, after, limit).map(({ key, value }) => [key, JSON.parse(decode(value))]);
}

// What has been counted in the channel: `counts.ofChannel().faves`, and `.weight`, `.people`. The fave that a formula is called for is in it.
export const counts = {
  ofChannel: () => tally(counted.ofChannel()),
  ofItem: (item) => tally(counted.ofItem(item)),
  ofPerson: (id) => tally(counted.ofPerson(id)),
  ofPersonItem: (id, item) => tally(counted.ofPersonItem(id, item)),
  // `[[item, tally], …]` and `[[person, tally], …]`, the greatest weight first. They read everything: ask for them rarely.
  topItems: (limit) => counted.topItems(limit).map(([item, it]) => [item, tally(it)]),
  topPeople: (limit) => counted.topPeople(limit).map(([person, it]) => [person, tally(it)]),
};

const tally = ({ faves, weight, people }) => ({ faves: Number(faves), weight: Number(weight), people });

// What a rule of this channel shows under a name, this one or another; null when none does.
export const shown = (name) => outputs.get(name) ?? null;

// ---- What a rule answers with ---------------------------------------------------------------------------------------------

// Keeps a value: a number, a text, a list, an object, as JSON has them.
export const put = (key, value) => ({ tag: "put", val: { key, value: encode(JSON.stringify(value)) } });
export const remove = (key) => ({ tag: "delete", val: key });

// Formulas: shows a text under a name. An empty text takes it back.
export const show = (name, value) => ({ tag: "show", val: { name, text: String(value) } });

// Any role: a state that people have to know of, such as "Faves are paused". The page and `heat status` tell it to everybody, until an
// empty text takes it back.
export const notice = (name, value) => show(`notice-${name}`, value);

export const say = (line) => ({ tag: "say", val: line });

// As `say`, as a reply to the line of chat that is being answered.
export const reply = (line) => ({ tag: "reply", val: line });

// Formulas: one MQTT message, to a topic that the configuration grants. `{ atMostOnce: true }` for what nobody wants late.
export const publish = (topic, payload, { atMostOnce = false } = {}) => ({
  tag: "publish",
  val: { topic, payload: encode(String(payload)), delivery: atMostOnce ? "at-most-once" : "at-least-once" },
});

// Formulas: asks for a clip of the last seconds, from 5 to 60.
export const clip = (title, seconds = 30) => ({ tag: "clip", val: { title, seconds } });

// Calls the rule again at this time, with the event `timer` and this name; null cancels it.
export const wake = (name, at) => ({ tag: "wake", val: { name, at } });

// Multipliers, in answer to a fave.
export const weigh = (weight) => ({ tag: "weigh", val: weight });
export const drop = () => ({ tag: "drop" });

// Handlers: a fave of whoever wrote a line of chat. A whole fave has the weight 1000.
export const fave = (line, item = "", weight = 1000) => ({
  tag: "fave",
  val: { person: line.person, standing: line.standing, bits: line.bits, item, weight },
});

// ---- Mistakes -------------------------------------------------------------------------------------------------------------

// Wraps `takes` and `handle`, so that a mistake in them stands in heatd's log, with its place. A text that is thrown is no mistake.
export const safely = (called) => (...given) => {
  try {
    return called(...given);
  } catch (error) {
    if (typeof error === "string") throw error;
    log.write("warn", `${error}\n${error.stack}`);
    throw String(error);
  }
};

// ---- Texts as bytes, which the state has: there is no TextEncoder here ------------------------------------------------------

// A loop of these few steps costs a tenth of one that calls a function for each letter.
function encode(string) {
  const plain = NOT_ASCII.test(string) ? unescape(encodeURIComponent(string)) : string;
  const length = plain.length;
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = plain.charCodeAt(at);
  return bytes;
}

function decode(bytes) {
  let plain = "";
  for (let at = 0; at < bytes.length; at += PIECE) plain += String.fromCharCode.apply(null, bytes.subarray(at, at + PIECE));
  return NOT_ASCII.test(plain) ? decodeURIComponent(escape(plain)) : plain;
}

const NOT_ASCII = /[\x80-\uffff]/;

// A function takes only so many arguments.
const PIECE = 8192;
