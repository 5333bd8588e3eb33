/** The names of series: `messages`, `emote:7tv:catJAM`, and the same of another channel, `harbour/messages`. */

export interface Series {
  /** The channel that is named with it. Null: the channel that the page shows. */
  channel: string | null;
  /** The name as the API has it. */
  of: string;
}

const COUNTS = /^(messages|faves|emote:(twitch|7tv|bttv|ffz):.+)$/su;
const OTHER = /^([a-z0-9_]{1,25})\/(.+)$/su;

/** Splits a name. A name without a channel never begins as one with a channel does. */
export function seriesOf(name: string): Series {
  const match = COUNTS.test(name) ? null : OTHER.exec(name);
  return match ? { channel: match[1] ?? null, of: match[2] ?? "" } : { channel: null, of: name };
}

/** The name of a series of another channel. */
export function inChannel(channel: string, of: string): string {
  return `${channel}/${of}`;
}

/** Whether a graph of counts can show it. */
export function isSeries(name: string): boolean {
  return COUNTS.test(seriesOf(name).of);
}

/** The emote that a series counts. */
export function emoteOf(name: string): { provider: string; name: string } | null {
  const match = /^emote:([^:]+):(.+)$/su.exec(seriesOf(name).of);
  return match ? { provider: match[1] ?? "", name: match[2] ?? "" } : null;
}

/** An output of a rule, and no count. */
export function isOutput(name: string): boolean {
  return name.startsWith("output:");
}

/** A name for people: `catJAM`, `#harbour messages`. */
export function spoken(name: string): string {
  const { channel, of } = seriesOf(name);
  const plain = emoteOf(name)?.name ?? (isOutput(of) ? of.slice("output:".length) : of);
  return channel === null ? plain : `#${channel} ${plain}`;
}

/** The series of each other channel, as the API names them. */
export function byChannel(names: string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { channel, of } of names.map(seriesOf)) {
    if (channel !== null) found.set(channel, [...(found.get(channel) ?? []), of]);
  }
  return found;
}
