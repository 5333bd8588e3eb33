/** How long after the end of a bin of one second its point is seen, in milliseconds: one number for each of so many bins, as JSON. */
import { shown, start, visit } from "../browser/stage.ts";

const BINS = Number(process.env["HEAT_BINS"] ?? "30");

/** The first ones are those of a page that has just begun. */
const WARM = 3;

const browser = await start();
const { page, leave } = await visit(browser, { hash: "channel=seaside&interval=1s&of=messages&of=emote:twitch:Kappa" });
await shown(page);
const late = await page.evaluate(
  (count) =>
    new Promise<number[]>((resolve) => {
      const found: number[] = [];
      const graph = document.getElementById("graph");
      if (!graph) return;
      let before = 0;
      new MutationObserver(() => {
        // Drawn by now; seen once the next frame is over.
        const until = Number(graph.dataset["until"]);
        // The graph may be drawn again without a new bin.
        if (until === before) return;
        before = until;
        requestAnimationFrame(() => {
          requestAnimationFrame(() => {
            found.push(Date.now() - until);
            if (found.length >= count) resolve(found);
          });
        });
      }).observe(graph, { attributes: true, attributeFilter: ["data-until"] });
    }),
  BINS + WARM,
);
await leave();
await browser.close();
console.log(JSON.stringify(late.slice(WARM)));
