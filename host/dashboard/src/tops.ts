/** Who and what is on top: emotes of the last minutes, faved items, and people. */
import { ofChannel, Problem } from "./api.ts";
import { at, button, h, name, say } from "./dom.ts";
import { learn, shown, type Emote } from "./emotes.ts";
import { counted, number } from "./format.ts";
import { Regularly, type Parts } from "./parts.ts";
import { now } from "./time.ts";
import type { MostFaved } from "./told.ts";

const RECENT = 5 * 60_000;

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

  constructor(
    private readonly parts: Parts,
    private readonly add: (series: string) => void,
  ) {
    this.emotes = new Regularly(() => this.loadEmotes(), 5000);
    this.faves = new Regularly(() => this.loadFaves(), 10_000);
    parts.views.follow((view, before) => view.channel !== before.channel && this.begin());
  }

  begin(): void {
    this.stale = true;
    this.emotes.soon();
    this.faves.soon();
  }

  /** Something was faved, so there is something to ask for: heatd goes through all people and items for it. */
  faved(): void {
    this.stale = true;
  }

  private async loadEmotes(): Promise<void> {
    const { api, views } = this.parts;
    const { channel } = views.now;
    if (!channel) return;
    const query = { from: now() - RECENT, count: LENGTH };
    const { emotes } = await api.get<{ emotes: (Emote & { uses: number })[] }>(ofChannel(channel, "emotes"), query);
    if (channel !== views.now.channel) return;
    learn(emotes);
    const rows = emotes.map((emote): Row => {
      const add = button("", () => this.add(`emote:${emote.provider}:${emote.name}`), { class: "bare", title: "Show it in the graph" });
      add.append(shown(emote));
      return { label: add, count: emote.uses, words: counted(emote.uses, "use") };
    });
    fill("emotes", rows, "no emotes yet");
  }

  private async loadFaves(): Promise<void> {
    const { api, views } = this.parts;
    const { channel } = views.now;
    if (!channel || !this.stale) return;
    this.stale = false;
    let most: MostFaved;
    try {
      most = await api.get<MostFaved>(ofChannel(channel, "faves"), { count: LENGTH });
    } catch (error) {
      // Names are not for everybody.
      const forbidden = error instanceof Problem && error.status === 403;
      at("faves").hidden = forbidden;
      this.stale = !forbidden;
      throw error;
    }
    if (channel !== views.now.channel) return;
    const { total } = most;
    say(at("faved"), total.faves > 0 ? `${counted(total.faves, "fave")} of ${counted(total.people, "person", "people")}` : "no faves yet");
    const words = (faves: number, weight: number): string =>
      faves === weight ? counted(faves, "fave") : `${counted(faves, "fave")}, weighing ${number(weight)}`;
    const items = most.items.map((it): Row => {
      const label = it.item ? name(it.item) : h("i", {}, "nothing in particular");
      return { label, count: it.weight, words: words(it.faves, it.weight) };
    });
    fill("items", items, "nothing was faved yet");
    const people = most.people.map((it): Row => ({ label: name(it.name || it.login), count: it.weight, words: words(it.faves, it.weight) }));
    fill("people", people, "nobody yet");
  }
}

/** A list with bars. */
function fill(id: string, rows: Row[], empty: string): void {
  const most = Math.max(...rows.map((it) => it.count), 1);
  const list = at(id);
  // Whoever is about to press a row keeps it.
  if (list.contains(document.activeElement) || list.matches(":hover")) return;
  const lines = rows.map((row) => {
    const bar = h("span", { class: "bar-of", "aria-hidden": "true" });
    bar.style.width = `${Math.max((row.count / most) * 100, 1)}%`;
    const count = h("span", { class: "count", title: row.words }, number(row.count));
    return h("li", {}, bar, h("span", { class: "label" }, row.label), count);
  });
  list.replaceChildren(...(lines.length > 0 ? lines : [h("li", { class: "empty" }, empty)]));
}
