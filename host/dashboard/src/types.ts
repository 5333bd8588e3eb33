/** The answers of the API, as far as the page reads them. docs/api.md describes all of it. */

export interface Rule {
  channel: string;
  slot: string;
  state: "live" | "probation" | "disabled" | "quarantined";
  name: string;
  version: string;
  role: string;
  since: number | null;
  changed: boolean;
  /** Its slot was added while heatd ran. */
  added?: boolean;
  reason?: string;
  calls?: number;
  failures?: number;
  /** Instructions of all calls, about. */
  fuel?: number;
  /** The most instructions that one call may use. */
  fuel_limit?: number;
  settings?: Record<string, unknown>;
  declared?: { name: string; about: string }[];
  shadow?: { name: string; version: string; events: number };
}

export interface StreamState {
  state: string;
  since: number | null;
}

export interface ChannelStatus {
  name: string;
  stream: StreamState;
  outputs: Record<string, string>;
  gaps?: { count: number; seconds: number };
}

export interface Status {
  version: string;
  uptime_seconds: number;
  ready: boolean;
  reasons: string[];
  connections: { chat: { wanted: number; up: number }; mqtt: { up: boolean } };
  faves: number;
  chat_lines: number;
  queue: number;
  channels: ChannelStatus[];
  store_bytes: number;
  backup?: { at: number | null; problem: string | null };
  /** What other services said that heatd does not know, by kind. */
  unrecognized?: { interface: string; what: string; example: string; count: number }[];
}

/** One entry of the feed. */
export type Entry =
  | { channel: string; kind: "output"; name: string; text: string | null }
  | { channel: string; kind: "stream"; state: string; since: number | null }
  | { channel: string; kind: "rule"; slot: string; effects: string[] }
  | { channel: string; kind: "fault"; slot: string; text: string }
  | { channel: string; kind: "rate"; lines: number; seconds: number }
  | { channel: string; kind: "missed"; entries: number }
  | { channel: string; kind: "hello" };

export interface Change {
  number: number;
  at: number;
  channel: string;
  slot: string;
  action: string;
  by: string;
  to: string | null;
  refused?: string | boolean | null;
  note?: string | null;
}

export interface Cause {
  at: number;
  slot: string;
  kind: string;
  person: string | null;
  faves: number;
  before: string | null;
  after: string | null;
}

export interface MostFaved {
  total: { faves: number; weight: number; people: number };
  items: { item: string; faves: number; weight: number; people: number }[];
  people: { login: string; name: string; faves: number; weight: number }[];
}

/** A Twitch account of the configuration. */
export interface Account {
  login: string;
  bot: boolean;
  state: "logged-out" | "logged-in" | "unsure" | "lapsed";
  problem: string | null;
  features: { name: string; why: string; covered: boolean }[];
  eventsub: { connected: boolean; hears: string[]; refused: Record<string, string>; problem: string | null } | null;
  begun: Begun | null;
}

/** A login that has begun. */
export interface Begun {
  login: string;
  address: string;
  code: string | null;
  expires_at: number;
  state: "waiting" | "done" | "failed";
  problem: string | null;
}

export interface Accounts {
  has_client_id: boolean;
  accounts: Account[];
}

/** Something that was said or done, as the log has it. */
export interface Message {
  number: number;
  at: number;
  kind: string;
  person: { login: string; name: string } | null;
  text: string;
}

export interface Messages {
  messages: Message[];
  /** The query of the next page. */
  next: string | null;
  /** The time up to which the log was read. */
  reached: number | null;
}
