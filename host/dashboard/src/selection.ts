/** What a moderator has tapped to take back: people, or an item. A bar at the foot of the page says so and leads to the preview. */
import { at, button, name, say } from "./dom.ts";

export type Picked = { kind: "people"; logins: string[] } | { kind: "item"; item: string };

export class Selection {
  private picked: Picked | null = null;
  private allowed = false;
  private readonly followers: (() => void)[] = [];

  /** `preview` shows what taking it back would change. */
  constructor(preview: (picked: Picked) => void) {
    at("picked-preview").addEventListener("click", () => {
      const { picked } = this;
      this.clear();
      if (picked) preview(picked);
    });
    at("picked-clear").addEventListener("click", () => this.clear());
  }

  /** For moderators and owners. */
  allow(): void {
    this.allowed = true;
    this.tell();
  }

  follow(follower: () => void): void {
    this.followers.push(follower);
  }

  clear(): void {
    this.set(null);
  }

  /** The name of a person, to tap where that is allowed. */
  person(login: string, shown = login): HTMLElement {
    return this.toTap(name(shown), this.has(login), () => this.set(withPerson(this.picked, login)), `Take back what ${login} did`);
  }

  /** An item, to tap where that is allowed. */
  item(item: string, label: HTMLElement): HTMLElement {
    const isPicked = this.picked?.kind === "item" && this.picked.item === item;
    return this.toTap(label, isPicked, () => this.set(isPicked ? null : { kind: "item", item }), "Take back the faves of this item");
  }

  private has(login: string): boolean {
    return this.picked?.kind === "people" && this.picked.logins.includes(login);
  }

  private toTap(label: HTMLElement, isPicked: boolean, tap: () => void, title: string): HTMLElement {
    if (!this.allowed) return label;
    const made = button("", tap, { class: "bare", title, "aria-pressed": String(isPicked) });
    made.append(label);
    return made;
  }

  private set(picked: Picked | null): void {
    this.picked = picked;
    this.tell();
  }

  private tell(): void {
    at("picked").hidden = this.picked === null;
    say(at("picked-names"), this.picked === null ? "" : wordsOf(this.picked));
    for (const follower of this.followers) follower();
  }
}

/** One person more, or one less. */
export function withPerson(picked: Picked | null, login: string): Picked | null {
  const before = picked?.kind === "people" ? picked.logins : [];
  const logins = before.includes(login) ? before.filter((it) => it !== login) : [...before, login];
  return logins.length > 0 ? { kind: "people", logins } : null;
}

function wordsOf(picked: Picked): string {
  return picked.kind === "people" ? picked.logins.join(", ") : picked.item || "faves without an item";
}
