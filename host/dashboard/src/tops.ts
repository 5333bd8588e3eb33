/** The lists: the most used emotes, and the items and people with the most faves. */
import { ofChannel, Problem } from "./api.ts";
import { at, busy, button, h, say } from "./dom.ts";
import { learn, shown, withPicture, type Emote } from "./emotes.ts";
import { counted, number } from "./format.ts";
import { Regularly, type Parts } from "./parts.ts";
import type { Selection } from "./selection.ts";
import { now } from "./time.ts";
import type { MostFaved } from "./types.ts";

const MINUTE = 60_000;

/** The lists of emotes: a name, a label, how much time, and the order. */
const LISTS: [string, string, number, "most" | "least"][] = [
  ["most", "Top emotes, last 5 minutes", 5 * MINUTE, "most"],
  ["hour", "Top emotes, last hour", 60 * MINUTE, "most"],
  ["day", "Top emotes, last day", 1440 * MINUTE, "most"],
  ["least", "Least used emotes, last day", 1440 * MINUTE, "least"],
];

/** How many stand in a list, so that its height stays. */
const LENGTH = 8;

interface Row {
  label: Node;
  count: number;
  words: string;
}

export class Tops {
  private readonly emotes: Regularly;
  private readonly faves: Regularly;
  private stale = true;
  private most: MostFaved | null = null;
  /** Names are not for everybody. */
  private forbidden = false;

  constructor(
    private readonly parts: Parts,
    private readonly add: (series: string) => void,
    private readonly selection: Selection,
  ) {
    this.emotes = new Regularly(() => this.loadEmotes(), 12_000);
    const select = at<HTMLSelectElement>("list");
    select.append(...LISTS.map(([value, label]) => h("option", { value }, label)));
    select.addEventListener("change", () => {
      at("emotes").replaceChildren();
      this.emotes.soon();
    });
    this.faves = new Regularly(() => this.loadFaves(), 10_000);
    parts.views.follow((view, before) => view.channel !== before.channel && this.begin());
    selection.follow(() => this.most && this.showFaves(this.most));
  }

  begin(): void {
    this.stale = true;
    this.emotes.soon();
    this.faves.soon();
  }

  /** Something was faved, so the lists are out of date. heatd goes through all people and items for them. */
  faved(): void {
    this.stale = true;
  }

  private async loadEmotes(): Promise<void> {
    const { api, views } = this.parts;
    const { channel } = views.now;
    if (!channel) return;
    const chosen = at<HTMLSelectElement>("list").value;
    const [, , span, order] = LISTS.find(([value]) => value === chosen) ?? ["", "", 5 * MINUTE, "most"];
    const query = { from: now() - span, count: LENGTH, order };
    const { emotes } = await api.get<{ emotes: (Emote & { uses: number })[] }>(ofChannel(channel, "emotes"), query);
    if (channel !== views.now.channel || chosen !== at<HTMLSelectElement>("list").value) return;
    learn(emotes);
    const rows = emotes.map((emote): Row => {
      const add = button("", () => this.add(`emote:${emote.provider}:${emote.name}`), { class: "bare", title: "Show it in the graph" });
      add.append(shown(emote));
      return { label: add, count: emote.uses, words: counted(emote.uses, "use") };
    });
    if (!busy("emotes")) fill("emotes", rows, "no emotes yet");
  }

  private async loadFaves(): Promise<void> {
    const { api, views } = this.parts;
    const { channel } = views.now;
    if (!channel || !this.stale || this.forbidden) return;
    this.stale = false;
    let most: MostFaved;
    try {
      most = await api.get<MostFaved>(ofChannel(channel, "faves"), { count: LENGTH });
    } catch (error) {
      this.forbidden = error instanceof Problem && error.status === 403;
      at("faves").hidden = this.forbidden;
      this.stale = true;
      throw error;
    }
    if (channel !== views.now.channel) return;
    this.most = most;
    // Somebody who is about to press a row keeps it.
    if (!busy("items") && !busy("people")) this.showFaves(most);
  }

  private showFaves({ total, items, people }: MostFaved): void {
    say(at("faved"), total.faves > 0 ? `${counted(total.faves, "fave")} of ${counted(total.people, "person", "people")}` : "no faves yet");
    const words = (faves: number, weight: number): string =>
      faves === weight ? counted(faves, "fave") : `${counted(faves, "fave")}, weighing ${number(weight)}`;
    const itemRows = items.map((it): Row => {
      const label = it.item ? withPicture(it.item) : h("i", {}, "without an item");
      return { label: this.selection.item(it.item, label), count: it.weight, words: words(it.faves, it.weight) };
    });
    fill("items", itemRows, "nothing was faved yet");
    const peopleRows = people.map((it): Row => {
      return { label: this.selection.person(it.login, it.name || it.login), count: it.weight, words: words(it.faves, it.weight) };
    });
    fill("people", peopleRows, "nobody yet");
  }
}

/** A list with bars. */
function fill(id: string, rows: Row[], empty: string): void {
  const most = Math.max(...rows.map((it) => it.count), 1);
  const list = at(id);
  const focused = [...list.children].findIndex((it) => it.contains(document.activeElement));
  const lines = rows.map((row) => {
    const bar = h("span", { class: "bar-of", "aria-hidden": "true" });
    bar.style.width = `${Math.max((row.count / most) * 100, 1)}%`;
    const count = h("span", { class: "count", title: row.words }, number(row.count));
    return h("li", {}, bar, h("span", { class: "label" }, row.label), count);
  });
  list.replaceChildren(...(lines.length > 0 ? lines : [h("li", { class: "empty" }, empty)]));
  // A row that was pressed by a key is where the next key begins.
  if (focused >= 0) list.children[focused]?.querySelector("button")?.focus();
}
