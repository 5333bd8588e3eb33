/** A graph over time, drawn by uPlot: zoom by dragging, a cursor that other graphs share, and keys for people without a pointer. */
import uPlot from "uplot";
import { h } from "./dom.ts";
import { drawGaps, drawLevels, drawMarks, font, type Mark } from "./draw.ts";
import { logTicks, number, ticks } from "./format.ts";
import { holes, type Value } from "./frame.ts";
import type { Range } from "./intervals.ts";
import type { Level } from "./levels.ts";
import { colour } from "./theme.ts";

export interface Line {
  label: string;
  /** The name of a colour in the style sheet. */
  colour: string;
  /** A value holds until the next one. */
  stepped: boolean;
  filled: boolean;
}

/** What is drawn besides the lines, and how. */
export interface Extras {
  marks?: Mark[];
  levels?: Level[];
  /** Small numbers are seen beside large ones. */
  log?: boolean;
}

export interface Options {
  element: HTMLElement;
  height: number;
  /** The cursor is at a bin, or nowhere. */
  hover: (place: number | null) => void;
  /** What to say where there is nothing to draw. */
  empty: string;
  zoom: (range: Range) => void;
  /** By keys: -1 back, 1 on. */
  move: (direction: number) => void;
}

const shared = uPlot.sync("time");

/** How uPlot calls the scales: the second one is logarithmic and has zero. */
const LINEAR = 1;
const LOG = 4;

/** All numbers of this axis are shown: uPlot's own ones begin below zero. */
const LOG_AXIS: uPlot.Axis = { splits: (_, __, low, high) => logTicks(low, high), filter: (_, splits) => splits };

/** So wide is the axis of each graph, so that times stand above each other. */
const AXIS = 46;

export class Chart {
  private plot: uPlot | null = null;
  private lines: Line[] = [];
  private times: number[] = [];
  private marks: Mark[] = [];
  private levels: Level[] = [];
  private log = false;
  private gaps: [number, number][] = [];
  private range: Range = { from: 0, to: 1 };
  private readonly nothing: HTMLElement;

  constructor(private readonly options: Options) {
    this.nothing = h("p", { class: "nothing", hidden: true }, h("span", {}, options.empty));
    options.element.append(this.nothing);
    new ResizeObserver(() => this.fit()).observe(options.element);
    options.element.addEventListener("keydown", (event) => this.key(event));
    options.element.addEventListener("blur", () => this.point(null));
    options.element.addEventListener("pointermove", (event) => event.pointerType === "touch" && this.touch(event));
    options.element.addEventListener("pointerdown", (event) => event.pointerType === "touch" && this.touch(event));
  }

  /** Shows these lines over this range. */
  show(lines: Line[], times: number[], values: Value[][], range: Range, { marks = [], levels = [], log = false }: Extras = {}): void {
    this.times = times.map((at) => at / 1000);
    this.range = range;
    this.levels = levels;
    this.marks = marks.filter((mark) => mark.at >= range.from && mark.at <= range.to);
    this.gaps = lines.some((it) => it.stepped) ? [] : holes(this.times, values);
    const data = [this.times, ...values] as uPlot.AlignedData;
    this.nothing.hidden = values.some((series) => series.some((it) => it !== null && it !== 0));
    if (!this.plot || log !== this.log || JSON.stringify(lines) !== JSON.stringify(this.lines)) {
      [this.lines, this.log] = [lines, log];
      this.plot?.destroy();
      this.plot = new uPlot(this.forPlot(), data, this.options.element);
    }
    this.plot.batch(() => {
      this.plot?.setData(data, false);
      this.plot?.setScale("x", { min: range.from / 1000, max: range.to / 1000 });
    });
  }

  /** Draws all of it again: colours have changed. */
  again(): void {
    const data = this.plot?.data;
    if (!data) return;
    this.plot?.destroy();
    this.plot = new uPlot(this.forPlot(), data, this.options.element);
    this.plot.setScale("x", { min: this.range.from / 1000, max: this.range.to / 1000 });
  }

  private fit(): void {
    const width = this.options.element.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.options.height });
  }

  private forPlot(): uPlot.Options {
    const grid = { stroke: colour("line"), width: 1 };
    const axis = { stroke: colour("soft"), font: font(11), grid, ticks: { ...grid, size: 4 } };
    return {
      width: this.options.element.clientWidth || 300,
      height: this.options.height,
      padding: [10, 22, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: shared.key, setSeries: false, scales: ["x", null] },
        drag: { x: true, y: false, setScale: false, dist: 6 },
        points: { size: 7, width: 2 },
        y: false,
      },
      scales: { x: { time: true, auto: false }, y: { distr: this.log ? LOG : LINEAR, range: (_, low, high) => bounds(low, high) } },
      axes: [
        { ...axis, size: 28, space: 64, values: (_, times, __, ___, apart) => ticks(times, apart) },
        { ...axis, size: AXIS, gap: 6, space: 36, values: (_, values) => values.map(number), ...(this.log ? LOG_AXIS : {}) },
      ],
      series: [{}, ...this.lines.map(series)],
      hooks: {
        setCursor: [(plot) => this.hovers(plot)],
        setSelect: [(plot) => this.selected(plot)],
        drawClear: [(plot) => drawGaps(plot, this.gaps)],
        drawAxes: [(plot) => drawLevels(plot, this.levels)],
        draw: [(plot) => drawMarks(plot, this.marks)],
      },
    };
  }

  private hovers(plot: uPlot): void {
    const left = plot.cursor.left ?? -1;
    this.options.hover(left >= 0 ? (plot.cursor.idx ?? null) : null);
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    // Every graph has the same selection, and none may keep it.
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    // Only the graph under the pointer has an event, and only that one zooms.
    if (width < 6 || plot.cursor.event == null) return;
    const [from, to] = [plot.posToVal(left, "x") * 1000, plot.posToVal(left + width, "x") * 1000];
    this.options.zoom({ from: Math.round(from), to: Math.round(to) });
  }

  /** The marks near a bin; of crossed levels the nearest. */
  marksNear(place: number): Mark[] {
    const at = (this.times[place] ?? 0) * 1000;
    const near = (this.range.to - this.range.from) / 80;
    const away = (mark: Mark): number => Math.abs(mark.at - at);
    const found = this.marks.filter((mark) => away(mark) <= near);
    const [nearest] = found.filter((it) => it.on).sort((one, other) => away(one) - away(other));
    return found.filter((it) => !it.on || it === nearest);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = this.plot?.cursor.idx ?? null;
    const step = event.shiftKey ? 10 : 1;
    const last = this.lastShown();
    const to: Record<string, number> = {
      ArrowLeft: place === null ? last : place - step,
      ArrowRight: place === null ? last : place + step,
      Home: this.times.findIndex((at) => at * 1000 >= this.range.from),
      End: last,
    };
    const middle = place === null ? (this.range.from + this.range.to) / 2 : (this.times[place] ?? 0) * 1000;
    if (event.key in to) this.point(Math.min(Math.max(to[event.key] ?? 0, 0), last));
    else if (event.key === "+" || event.key === "=") this.scale(middle, 0.5);
    else if (event.key === "-") this.scale(middle, 2);
    else if (event.key === "PageUp" || event.key === "PageDown") this.options.move(event.key === "PageUp" ? -1 : 1);
    else return;
    event.preventDefault();
  }

  private lastShown(): number {
    const beyond = this.times.findIndex((at) => at * 1000 >= this.range.to);
    return (beyond < 0 ? this.times.length : beyond) - 1;
  }

  private scale(middle: number, by: number): void {
    const half = ((this.range.to - this.range.from) * by) / 2;
    this.options.zoom({ from: Math.round(middle - half), to: Math.round(middle + half) });
  }

  /** Puts the cursor at a bin. */
  private point(place: number | null): void {
    const at = place === null ? undefined : this.times[place];
    if (!this.plot) return;
    const left = at === undefined ? -10 : this.plot.valToPos(at, "x");
    this.plot.setCursor({ left, top: at === undefined ? -10 : 10 });
  }

  private touch(event: PointerEvent): void {
    if (!this.plot) return;
    const box = this.plot.over.getBoundingClientRect();
    this.plot.setCursor({ left: event.clientX - box.left, top: 10 });
  }
}

function series(line: Line): uPlot.Series {
  const stroke = colour(line.colour);
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    label: line.label,
    stroke,
    width: 1.75,
    points: { show: (_, __, from, to) => to - from < 2, size: 4 },
    ...(line.filled ? { fill: `${stroke}22` } : {}),
    ...(line.stepped && stepped ? { paths: stepped } : {}),
  };
}

/** From nothing, with a little room above; a level may be below nothing. */
function bounds(low: number | null, high: number | null): [number, number] {
  const top = Math.max(high ?? 0, 0);
  const bottom = Math.min(low ?? 0, 0);
  const room = (top - bottom) * 0.08;
  return top === bottom ? [0, 4] : [bottom < 0 ? bottom - room : 0, Math.max(top + room, bottom + 1)];
}
