/** The channels that heatd has, and those that it had since the page was opened: they come and go while it runs. */
export interface Channel {
  name: string;
  /** Whether heatd has it now. */
  here: boolean;
}

export class Channels {
  private readonly seen = new Map<string, boolean>();

  /** Takes the names of all that are there now. */
  know(names: string[]): void {
    for (const name of this.seen.keys()) this.seen.set(name, false);
    for (const name of names) this.seen.set(name, true);
  }

  /** Those with this text in their names; who is gone comes last. */
  fitting(text: string): Channel[] {
    const wanted = text.toLowerCase().replace(/^#/, "");
    const found = [...this.seen].filter(([name]) => name.includes(wanted)).map(([name, here]) => ({ name, here }));
    return [...found.filter((it) => it.here), ...found.filter((it) => !it.here)];
  }
}
