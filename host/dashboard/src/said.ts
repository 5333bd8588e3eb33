/** What was said: the last lines of the channel, and a search in heatd's log. For people who may see names. */
import { queryOf, words, type Query } from "./api.ts";
import { at, busy, button, h, name, say } from "./dom.ts";
import { withPicture } from "./emotes.ts";
import { counted, day, moment } from "./format.ts";
import type { Range } from "./intervals.ts";
import { Regularly, type Parts } from "./parts.ts";
import { now } from "./time.ts";
import type { Message, Messages } from "./types.ts";

/** How many lines stand there while nobody searches, and how many a search finds at once. */
const LAST = 30;
const FOUND = 50;

const HOUR = 3_600_000;

/** Kinds as people choose them. */
const KINDS: [string, string[]][] = [
  ["everything", []],
  ["chat", ["chat"]],
  ["faves", ["fave"]],
  ["follows", ["follow"]],
  ["subscriptions", ["subscription", "gift"]],
  ["cheers", ["cheer"]],
  ["raids", ["raid"]],
  ["rewards", ["redemption"]],
  ["hype trains", ["hype-train"]],
  ["start and end of streams", ["stream-start", "stream-end"]],
  ["MQTT messages", ["mqtt"]],
];

/** How far back a search goes, in hours. */
const TIMES: [string, string][] = [
  ["", "all of the log"],
  ["1", "the last hour"],
  ["24", "the last day"],
  ["168", "the last week"],
  ["graph", "the time in the graph"],
];

export class Said {
  private readonly last: Regularly;
  private allowed = false;
  private searching = false;
  /** Grows with each search, so that an answer to an older one is dropped. */
  private asked = 0;
  private messages: Message[] = [];
  /** The query of the next page of a search. */
  private next: string | null = null;

  constructor(
    private readonly parts: Parts,
    private readonly graph: () => Range,
  ) {
    this.last = new Regularly(() => this.load(), 5_000);
    at("search-kind").append(...KINDS.map(([label], index) => h("option", { value: String(index) }, label)));
    at("search-since").append(...TIMES.map(([value, label]) => h("option", { value }, label)));
    at<HTMLFormElement>("search").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.search();
    });
    at("search").addEventListener("reset", () => this.rest());
    at("older").addEventListener("click", () => void this.more());
    parts.views.follow((view, before) => view.channel !== before.channel && this.rest());
  }

  /** For people who may see names. */
  begin(): void {
    this.allowed = true;
    at("chat").hidden = false;
    this.last.soon();
  }

  /** Back to the last lines. */
  private rest(): void {
    this.asked += 1;
    this.searching = false;
    this.next = null;
    this.show([]);
    say(at("search-answer"), "");
    this.last.soon();
  }

  /** The last lines. Somebody who reads them or is about to press a name keeps them. */
  private async load(): Promise<void> {
    const { channel } = this.parts.views.now;
    if (!this.allowed || this.searching || !channel) return;
    const asked = this.asked;
    try {
      const { messages } = await this.parts.api.get<Messages>("history/messages", { channel, count: LAST });
      const isNew = messages[0]?.number !== this.messages[0]?.number;
      if (asked !== this.asked) return;
      say(at("search-answer"), "");
      if (isNew && !busy("lines")) this.show(messages);
    } catch (error) {
      // Such as a channel without a history.
      if (asked === this.asked) say(at("search-answer"), words(error));
      throw error;
    }
  }

  private async search(): Promise<void> {
    this.asked += 1;
    this.searching = true;
    this.show([]);
    this.next = queryOf(this.query()).slice(1);
    await this.more();
  }

  private query(): Query {
    const [, kinds] = KINDS[Number(at<HTMLSelectElement>("search-kind").value)] ?? ["", []];
    const query: Query = { channel: this.parts.views.now.channel, count: FOUND, kind: kinds };
    const [text, who] = [at<HTMLInputElement>("search-text").value, at<HTMLInputElement>("search-who").value.trim().replace(/^@/, "")];
    if (text) query["text"] = text;
    if (who) query["user"] = who;
    const since = at<HTMLSelectElement>("search-since").value;
    if (since === "graph") Object.assign(query, { from: Math.round(this.graph().from), to: Math.round(this.graph().to) });
    else if (since) query["from"] = now() - Number(since) * HOUR;
    return query;
  }

  /** Goes on with a search, page by page, until there is enough to show. */
  private async more(): Promise<void> {
    const asked = this.asked;
    const before = this.messages.length;
    at("older").hidden = true;
    say(at("search-answer"), "Searching …");
    try {
      while (this.next !== null && this.messages.length < before + FOUND) {
        const page: Messages = await this.parts.api.get(`history/messages?${this.next}`);
        if (asked !== this.asked) return;
        this.next = page.next;
        if (page.messages.length > 0) this.show([...this.messages, ...page.messages]);
        say(at("search-answer"), `${this.messages.length} found. Searching, back to ${page.reached === null ? "the beginning" : moment(page.reached)} …`);
      }
    } catch (error) {
      if (asked === this.asked) say(at("search-answer"), words(error));
      return;
    }
    at("older").hidden = this.next === null;
    const found = this.messages.length === 0 ? "Nothing was found" : `${counted(this.messages.length, "line")} found`;
    say(at("search-answer"), this.next === null ? `${found}; that is all.` : `${found}; there may be more.`);
  }

  private show(messages: Message[]): void {
    this.messages = messages;
    at("older").hidden = true;
    const rows = messages.map((it) => this.row(it));
    at("lines").replaceChildren(...rows);
  }

  private row({ at: time, kind, person, text }: Message): HTMLElement {
    const when = h("time", { datetime: new Date(time).toISOString(), title: day(time) }, moment(time));
    const row = h("li", {}, when, " ");
    if (kind !== "chat") row.append(h("small", { class: "kind" }, kind), " ");
    if (person) {
      const shown = button("", () => this.follow(person.login), { class: "bare", title: `Search what ${person.login} said and did` });
      shown.append(name(person.name || person.login));
      row.append(shown, " ");
    }
    row.append(textOf(text));
    return row;
  }

  /** What one person said and did. */
  private follow(login: string): void {
    at<HTMLInputElement>("search-who").value = login;
    void this.search();
  }
}

/** The text, with pictures of the emotes that are known. It cannot turn the text around it. */
function textOf(text: string): HTMLElement {
  const whole = h("bdi", { class: "text" });
  for (const part of text.split(/(\s+)/)) whole.append(/\S/.test(part) ? withPicture(part) : part);
  return whole;
}
