// Types of heat.js, for editors and for rules that are written in TypeScript. The contract itself is wit/rule.wit.
//
// In JavaScript, begin rule.js with `// @ts-check`, and say what `handle` is: `/** @type {import("./heat.js").Handle} */`.

// ---- What happens ---------------------------------------------------------------------------------------------------------

/** Milliseconds since 1970. */
export type Timestamp = number;
/** Thousandths of a fave: 1000 is one. */
export type Weight = number;

export interface Person {
  id: string;
  login: string;
  name: string;
}
export type Tier = "prime" | "one" | "two" | "three";
export interface Standing {
  broadcaster: boolean;
  moderator: boolean;
  vip: boolean;
  subscription: Tier | null;
  firstMessage: boolean;
  returning: boolean;
}
export interface Emote {
  name: string;
  id: string;
  provider: "twitch" | "franker-face-z" | "better-ttv" | "seven-tv";
  start: number;
  end: number;
}
export interface ChatLine {
  message: string;
  person: Person;
  standing: Standing;
  text: string;
  emotes: Emote[];
  bits: number;
  replyTo: string | null;
  sharedFrom: string | null;
}
export interface Fave {
  person: Person;
  standing: Standing | null;
  bits: number;
  item: string;
  weight: Weight;
}
export type Happening =
  | { tag: "chat"; val: ChatLine }
  | { tag: "command"; val: { name: string; arguments: string; line: ChatLine } }
  | { tag: "mqtt"; val: { topic: string; payload: Uint8Array; retained: boolean } }
  | { tag: "subscription"; val: { person: Person; tier: Tier; months: number; renewed: boolean; text: string } }
  | { tag: "gift"; val: { person: Person | null; tier: Tier; count: number; receiver: Person | null } }
  | { tag: "cheer"; val: { person: Person | null; bits: number; text: string } }
  | { tag: "raid"; val: { person: Person; viewers: number } }
  | { tag: "follow"; val: Person }
  | { tag: "redemption"; val: { person: Person; reward: string; rewardId: string; cost: number; text: string } }
  | { tag: "hype-train"; val: { train: string; stage: "begin" | "progress" | "end"; level: number; points: number; goal: number } }
  | { tag: "stream-start" }
  | { tag: "stream-end" }
  | { tag: "timer"; val: string }
  | { tag: "fave"; val: Fave };
export interface Event {
  id: string;
  channel: string;
  at: Timestamp;
  what: Happening;
}

// ---- What a rule exports --------------------------------------------------------------------------------------------------

export interface Description {
  name: string;
  version: string;
  summary: string;
  role: "handler" | "multiplier" | "formula";
  stateVersion: number;
  settings: Setting[];
}
export interface Setting {
  name: string;
  kind: { tag: string; val: unknown };
  help: string;
}
export type Kind =
  | "chat" | "subscriptions" | "gifts" | "cheers" | "raids" | "follows" | "redemptions" | "hype-trains" | "streams" | "faves";
export interface Interests {
  commands: string[];
  words: string[];
  topics: string[];
  kinds: Kind[];
  needs: ("say" | "clip")[];
}
export type GivenSettings = [string, { tag: string; val: unknown }][];
export type Takes = (settings: GivenSettings) => Interests;
export type Handle = (now: Timestamp, event: Event) => Effect[];

/** One thing that heatd shall do; the functions below make them. */
export type Effect = { tag: string; val?: unknown };

// ---- heat.js --------------------------------------------------------------------------------------------------------------

export function about(role: Description["role"], name: string, version: string, summary: string, settings?: Setting[]): Description;
export function boolean(name: string, value: boolean, help: string): Setting;
export function integer(name: string, value: number, bounds: [number, number], help: string): Setting;
export function number(name: string, value: number, bounds: [number, number], help: string): Setting;
export function duration(name: string, value: number, bounds: [number, number], help: string): Setting;
export function text(name: string, value: string, maxLength: number, help: string): Setting;
export function choice(name: string, choices: string[], help: string): Setting;
export function texts(name: string, value: string[], help: string): Setting;
export function numbers(name: string, value: [string, number][], help: string): Setting;
export function interests(wanted: Partial<Interests>): Interests;
export function values(settings: GivenSettings): Record<string, any>;

export function setting(name: string): any;
export function get<V = any>(key: string, otherwise?: V): V;
export function scan<V = any>(prefix?: string, options?: { after?: string | null; limit?: number }): [string, V][];
export function shown(name: string): string | null;
export interface Tally {
  faves: number;
  weight: Weight;
  people: number;
}
export const counts: {
  ofChannel(): Tally;
  ofItem(item: string): Tally;
  ofPerson(id: string): Tally;
  ofPersonItem(id: string, item: string): Tally;
  topItems(limit: number): [string, Tally][];
  topPeople(limit: number): [Person, Tally][];
};

export function put(key: string, value: unknown): Effect;
export function remove(key: string): Effect;
export function show(name: string, value: unknown): Effect;
export function notice(name: string, value: string): Effect;
export function say(line: string): Effect;
export function reply(line: string): Effect;
export function publish(topic: string, payload: unknown, options?: { atMostOnce?: boolean }): Effect;
export function clip(title: string, seconds?: number): Effect;
export function wake(name: string, at: Timestamp | null): Effect;
export function weigh(weight: Weight): Effect;
export function drop(): Effect;
export function fave(line: ChatLine, item?: string, weight?: Weight): Effect;
export function safely<A extends unknown[], R>(called: (...given: A) => R): (...given: A) => R;
