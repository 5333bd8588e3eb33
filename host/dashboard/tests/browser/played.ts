/** What is said in the channels of recorded chat, and a count of it that knows nothing of heatd. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { given } from "./stage.ts";

/** A message: when it is due, and which series it counts for, as often as they stand there. */
interface Message {
  at: number;
  of: string[];
}

export interface Channel {
  name: string;
  messages: Message[];
}

/** All channels that are played, the busiest first. Nobody may have said the same twice. */
export function played(): Channel[] {
  const folder = given("HEAT_PLAYED");
  const words = JSON.parse(readFileSync(join(folder, "7tv.json"), "utf8")) as Record<string, string[]>;
  const channels = readdirSync(folder).flatMap((file): Channel[] => {
    const name = /^(.+)\.irc$/.exec(file)?.[1];
    if (!name) return [];
    const lines = readFileSync(join(folder, file), "utf8").split("\n");
    return [{ name, messages: messagesOf(lines, new Set(words[name])) }];
  });
  return channels.sort((one, other) => other.messages.length - one.messages.length);
}

function messagesOf(lines: string[], words: Set<string>): Message[] {
  const seen = new Set<string>();
  return lines.flatMap((line) => {
    const match = /^@(\S+) \S+ PRIVMSG #\S+ :?(.*)$/.exec(line);
    if (!match) return [];
    const tags = new Map((match[1] ?? "").split(";").map((tag): [string, string] => [tag.slice(0, tag.indexOf("=")), tag.slice(tag.indexOf("=") + 1)]));
    const id = tags.get("id") ?? "";
    if (id && seen.has(id)) return [];
    seen.add(id);
    const text = (match[2] ?? "").replace(/^\x01ACTION (.*?)\x01?$/, "$1");
    return [{ at: Number(tags.get("tmi-sent-ts")), of: ["messages", ...emotes(text, tags, words)] }];
  });
}

/** Twitch's emotes from their places, which are code points, and 7TV's from what is left. */
function emotes(text: string, tags: Map<string, string>, words: Set<string>): string[] {
  const characters: (string | null)[] = [...text];
  const found: string[] = [];
  for (const emote of (tags.get("emotes") ?? "").split("/")) {
    for (const range of (emote.split(":")[1] ?? "").split(",")) {
      const [from, to] = range.split("-").map(Number);
      if (from === undefined || to === undefined) continue;
      found.push(`emote:twitch:${characters.slice(from, to + 1).join("")}`);
      characters.fill(null, from, to + 1);
    }
  }
  let left = characters.map((it) => it ?? "\u0000").join("");
  if (tags.has("reply-parent-msg-id")) left = left.replace(/^@\S+ /, "");
  for (const word of left.replace(/[\u{E0000}\s]+$/u, "").split(" ")) if (words.has(word)) found.push(`emote:7tv:${word}`);
  return found;
}

/** How often something was said from one time to before another. */
export function counted(channel: Channel, of: string, from: number, to: number): number {
  return channel.messages.reduce((sum, message) => (message.at >= from && message.at < to ? sum + message.of.filter((it) => it === of).length : sum), 0);
}

/** What was said most until a time, the most often first. */
export function most(channel: Channel, provider: string, until: number): string[] {
  const uses = new Map<string, number>();
  for (const { at, of } of channel.messages) if (at < until) for (const it of of) uses.set(it, (uses.get(it) ?? 0) + 1);
  const all = [...uses].filter(([it]) => it.startsWith(`emote:${provider}:`));
  return all.sort(([, one], [, other]) => other - one).map(([it]) => it);
}
