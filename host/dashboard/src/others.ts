/** Series of other channels in the graph: asked for with the series of the channel that is shown, and again as they grow. */
import { ofChannel, Problem, type Api } from "./api.ts";
import { Frame, type Answer } from "./frame.ts";
import { widthOf, type Interval, type Range } from "./intervals.ts";
import { byChannel, inChannel } from "./series.ts";

/** Each other channel is one request. Streams would use up the few connections that a browser has to one machine. */
const FASTEST = 3_000;
const SLOWEST = 15_000;

/** So many bins are asked for again: late lines change the newest ones. */
const TAIL = 4;

/** Asks for the series of each other channel. A channel that cannot be read is left out, with a sentence. */
export async function askOthers(
  api: Api,
  of: string[],
  { interval, from, to }: Range & { interval: Interval },
  signal: AbortSignal,
): Promise<{ answers: Answer[]; problems: string[] }> {
  const problems: string[] = [];
  const asked = [...byChannel(of)].map(async ([channel, of]): Promise<Answer[]> => {
    try {
      const answer = await api.get<Answer>(ofChannel(channel, "series"), { of, interval, from, to }, signal);
      return [{ ...answer, series: answer.series.map((it) => ({ ...it, of: inChannel(channel, it.of) })) }];
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problems.push(`#${channel}: ${error.message}`);
      return [];
    }
  });
  return { answers: (await Promise.all(asked)).flat(), problems };
}

/** Asks for the newest bins again and again, until the signal. `until`: see {@link Frame}. */
export async function followOthers(
  api: Api,
  of: string[],
  interval: Interval,
  until: () => number,
  take: (newer: Frame) => void,
  signal: AbortSignal,
): Promise<void> {
  if (byChannel(of).size === 0) return;
  const width = widthOf(interval);
  const pause = Math.min(Math.max(width, FASTEST), SLOWEST);
  while (!signal.aborted) {
    await new Promise((resume) => setTimeout(resume, pause));
    if (document.hidden || signal.aborted) continue;
    const end = until();
    const tail = { interval, from: Math.max(0, end - TAIL * width - pause), to: end };
    // The next request is the repetition of one that has failed.
    const found = await askOthers(api, of, tail, signal).catch(() => null);
    const [first, ...more] = found?.answers ?? [];
    if (first) take(new Frame([first, ...more], end));
  }
}
