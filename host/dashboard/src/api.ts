/** Asks heatd. Every mistake comes as a {@link Problem} with a sentence for people. */
import { EventLines } from "./sse.ts";
import { StepLines, type Step } from "./steps.ts";
import { heard } from "./time.ts";

/** How often it is asked again when heatd asks for patience, and how much of it the page has, in seconds. */
const RETRIES = 3;
const LONGEST_WAIT = 5;

/** What heatd says is wrong, or why it does not answer: then the status is 0. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
  }
}

/** Values of a query; a list stands for a parameter that comes several times. */
export type Query = Record<string, string | number | string[] | undefined>;

/** The path of a resource of a channel. */
export function ofChannel(channel: string, resource: string): string {
  return `channels/${encodeURIComponent(channel)}/${resource}`;
}

export function queryOf(query: Query): string {
  const pairs = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : value === undefined ? [] : [value]) pairs.append(key, String(one));
  }
  const text = pairs.toString();
  return text && `?${text}`;
}

export class Api {
  /** `refused` is called when the token is not, or no longer, right. */
  constructor(
    private readonly token: string,
    private readonly refused: (why: string) => void,
  ) {}

  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const answer = await this.ask(path + queryOf(query), { signal: signal ?? AbortSignal.timeout(20_000) });
    return (await answer.json()) as T;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const answer = await this.ask(path, { method: "POST", ...jsonBody(body) });
    return (await answer.json()) as T;
  }

  async delete<T>(path: string): Promise<T> {
    const answer = await this.ask(path, { method: "DELETE" });
    return (await answer.json()) as T;
  }

  /** Work that takes time, with JSON or with a component. Tells each step, and returns the last one: what was done. A refusal is a {@link Problem}. */
  async steps(path: string, body: unknown, told: (step: Step) => void = () => undefined): Promise<Step> {
    const answer = await this.ask(path, { method: "POST", ...(body instanceof ArrayBuffer ? component(body) : jsonBody(body)) });
    const lines = new StepLines();
    let last: Step = {};
    try {
      for await (const piece of piecesOf(answer)) {
        for (last of lines.feed(piece)) if (last.step !== undefined) told(last);
      }
    } catch {
      // It broke off before its last line.
    }
    if (last.refused !== undefined) throw new Problem(409, last.refused);
    if (last.message === undefined) throw new Problem(0, "the connection to heatd broke off; the list of changes says whether it was done");
    return last;
  }

  /** Server-sent events until the connection or the signal ends. */
  async *events<T>(path: string, query: Query, signal: AbortSignal): AsyncGenerator<T> {
    const answer = await this.ask(path + queryOf(query), { signal });
    const lines = new EventLines();
    for await (const piece of piecesOf(answer)) {
      for (const data of lines.feed(piece)) yield JSON.parse(data) as T;
    }
  }

  private async ask(path: string, options: RequestInit): Promise<Response> {
    const headers = { ...options.headers, Authorization: `Bearer ${this.token}` };
    let answer = await this.once(path, options, headers);
    for (let tries = 0; answer.status === 429 && tries < RETRIES; tries += 1) {
      // All who share a token share its rate. Other refusals are no better a second later.
      const wait = Number(answer.headers.get("retry-after"));
      if (!(wait > 0 && wait <= LONGEST_WAIT)) break;
      await new Promise((resume) => setTimeout(resume, wait * 1000 * (1 + Math.random())));
      answer = await this.once(path, options, headers);
    }
    heard(answer.headers.get("date"));
    if (answer.ok) return answer;
    const detail = await detailOf(answer);
    if (answer.status === 401) this.refused(detail);
    throw new Problem(answer.status, detail);
  }

  private async once(path: string, options: RequestInit, headers: HeadersInit): Promise<Response> {
    try {
      return await fetch(new URL(`api/v1/${path}`, document.baseURI), { ...options, headers, cache: "no-store" });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new Problem(0, "heatd does not answer; is it running, and is this device still in its network?");
    }
  }
}

/** The text of an answer as it comes. */
async function* piecesOf(answer: Response): AsyncGenerator<string> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (reader) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

function component(body: ArrayBuffer): RequestInit {
  return { body, headers: { "Content-Type": "application/wasm" } };
}

function jsonBody(body: unknown): RequestInit {
  return { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

async function detailOf(answer: Response): Promise<string> {
  try {
    const problem = (await answer.json()) as { detail?: string };
    if (problem.detail) return problem.detail;
  } catch {
    // A proxy in between answers with pages of its own.
  }
  return `the answer was ${answer.status} ${answer.statusText}`;
}

/** The words of an error for people. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
