/** What a graph has besides its lines: gaps, levels, and marks of what happened. */
import type uPlot from "uplot";
import type { Level } from "./levels.ts";
import { colour } from "./theme.ts";

/** Something that happened at one time. */
export interface Mark {
  at: number;
  text: string;
  /** Where it stands on the curve, and whether that went up; without it a line goes through the graph. */
  on?: { value: number; up: boolean };
}

/** The font of a graph, so many pixels high. */
export function font(size: number): string {
  return `${size}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;
}

/** A time that nobody knows of is no time in which nothing was said. */
export function drawGaps(plot: uPlot, gaps: [number, number][]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour("press");
  for (const [from, to] of gaps) {
    const [left, right] = [plot.valToPos(from, "x", true), plot.valToPos(to, "x", true)];
    const begin = Math.max(left, bbox.left);
    ctx.fillRect(begin, bbox.top, Math.min(right, bbox.left + bbox.width) - begin, bbox.height);
  }
  ctx.restore();
}

/** Where levels begin, with their names, as far as they are within the scale. */
export function drawLevels(plot: uPlot, levels: Level[]): void {
  const { ctx, bbox } = plot;
  const top = plot.scales["y"]?.max ?? 0;
  ctx.save();
  ctx.strokeStyle = colour("edge");
  ctx.fillStyle = colour("soft");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([devicePixelRatio, 4 * devicePixelRatio]);
  ctx.font = font(10 * devicePixelRatio);
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  // From the highest down. Those that would stand upon each other are left out; the cursor tells of them.
  const room = 12 * devicePixelRatio;
  let above = -Infinity;
  for (const { name, from } of levels.filter((it) => it.from > 0 && it.from <= top).reverse()) {
    const y = Math.round(plot.valToPos(from, "y", true));
    if (y - above < room || bbox.top + bbox.height - y < room / 2) continue;
    above = y;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillText(name.length > 24 ? `${name.slice(0, 23)}…` : name, bbox.left + 4 * devicePixelRatio, y - devicePixelRatio);
  }
  ctx.restore();
}

/** Lines through the graph, and triangles on its curve. */
export function drawMarks(plot: uPlot, marks: Mark[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  drawCrossings(plot, marks);
  ctx.strokeStyle = ctx.fillStyle = colour("mark");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of marks.filter((it) => !it.on)) {
    const x = Math.round(plot.valToPos(mark.at / 1000, "x", true));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(x, bbox.top, 3.5 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

/** A triangle on the curve, upwards or downwards. Of those that would cover each other the last one is drawn. */
function drawCrossings(plot: uPlot, marks: Mark[]): void {
  const { ctx } = plot;
  const size = 4.5 * devicePixelRatio;
  ctx.fillStyle = colour("heat");
  ctx.strokeStyle = colour("card");
  ctx.lineWidth = 1.5 * devicePixelRatio;
  let right = Infinity;
  for (const { at, on } of marks.filter((it) => it.on).reverse()) {
    const [x, y] = [plot.valToPos(at / 1000, "x", true), plot.valToPos(on?.value ?? 0, "y", true)];
    if (right - x < 2 * size) continue;
    right = x;
    const tip = on?.up ? -size : size;
    ctx.beginPath();
    ctx.moveTo(x - size, y - tip);
    ctx.lineTo(x, y + tip);
    ctx.lineTo(x + size, y - tip);
    ctx.closePath();
    ctx.stroke();
    ctx.fill();
  }
}
