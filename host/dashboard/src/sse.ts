/** Takes server-sent events apart. The browser's own EventSource cannot send the token. */
export class EventLines {
  private rest = "";
  private data: string[] = [];

  /** The data of the events that are complete with this piece. */
  feed(piece: string): string[] {
    const whole: string[] = [];
    const lines = (this.rest + piece).split("\n");
    this.rest = lines.pop() ?? "";
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") {
        if (this.data.length > 0) whole.push(this.data.join("\n"));
        this.data = [];
      } else if (line.startsWith("data:")) {
        this.data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      }
      // Anything else is a sign of life, or a field that heatd does not use.
    }
    return whole;
  }
}
