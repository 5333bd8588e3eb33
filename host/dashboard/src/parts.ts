/** What the parts of the page share: whom they ask, and what is shown. */
import type { Api } from "./api.ts";
import type { Views } from "./view.ts";

export interface Parts {
  api: Api;
  views: Views;
}

/** Asks again and again while the page is seen, one question at a time. */
export class Regularly {
  private timer = 0;
  private busy = false;
  private again = false;
  private hurried = false;

  constructor(
    private readonly work: () => Promise<void>,
    private readonly every: number,
  ) {
    document.addEventListener("visibilitychange", () => document.hidden || this.soon());
  }

  /** Now, or once the question that is under way is answered. */
  soon(): void {
    clearTimeout(this.timer);
    if (this.busy) {
      this.again = true;
      return;
    }
    void this.run();
  }

  /** Before long, however often this is called. */
  later(): void {
    if (this.hurried) return;
    this.hurried = true;
    setTimeout(() => this.soon(), 2000);
  }

  private async run(): Promise<void> {
    this.hurried = false;
    this.busy = true;
    // Who asks shows what is wrong; here it is only asked again.
    await this.work().catch(() => undefined);
    this.busy = false;
    const wait = this.again ? 0 : this.every;
    this.again = false;
    this.timer = window.setTimeout(() => document.hidden || this.soon(), wait);
  }
}

/** Follows a stream of events, and begins again when it breaks off, after a while that grows. Rests while nobody sees the page. */
export class Follow {
  private control = new AbortController();
  private resting = 0;

  constructor(
    private readonly stream: (signal: AbortSignal) => Promise<void>,
    private readonly broken: (error: unknown) => void,
  ) {
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.resting);
      if (!document.hidden && this.control.signal.aborted) this.begin();
      // A browser has few connections to one machine, and other tabs want theirs.
      if (document.hidden) this.resting = window.setTimeout(() => this.end(), 30_000);
    });
  }

  begin(): void {
    this.end();
    this.control = new AbortController();
    void this.go(this.control.signal);
  }

  end(): void {
    this.control.abort();
  }

  private async go(signal: AbortSignal): Promise<void> {
    for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 15_000)) {
      const began = Date.now();
      try {
        await this.stream(signal);
      } catch (error) {
        if (!signal.aborted) this.broken(error);
      }
      if (Date.now() - began > 15_000) wait = 500;
      if (!signal.aborted) await new Promise((resume) => setTimeout(resume, wait));
    }
  }
}
