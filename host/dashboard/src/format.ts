/** Numbers and times, as people read them. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A count or a level: `1,234`, `12.5`. */
export function number(value: number): string {
  if (Math.abs(value) >= 100_000) return short.format(value);
  if (Number.isInteger(value)) return whole.format(value);
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 });
}

/** A rate: always with one decimal below a hundred, so that it does not jump. */
export function rate(value: number): string {
  return value < 100 ? value.toFixed(1) : whole.format(value);
}

export function bytes(value: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A length of time in its two largest units: `2 h 5 min`. */
export function duration(seconds: number): string {
  const units: [string, number][] = [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
    ["s", 1],
  ];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0 s";
  const parts: string[] = [];
  let rest = Math.floor(seconds);
  for (const [name, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(" ");
}

const two = (value: number): string => String(value).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The time of day: `14:03:05`. */
export function clock(at: number, seconds = true): string {
  const time = new Date(at);
  const minutes = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return seconds ? `${minutes}:${two(time.getSeconds())}` : minutes;
}

/** The day: `21 Nov`. */
export function day(at: number): string {
  const time = new Date(at);
  return `${time.getDate()} ${MONTHS[time.getMonth()]}`;
}

/** The time, with the day where that is not today. */
export function moment(at: number, now = Date.now()): string {
  return day(at) === day(now) ? clock(at) : `${day(at)}, ${clock(at)}`;
}

/** A stretch of time, always with its day: `30 Nov, 14:00:00 – 15:00:00`. */
export function stretch(from: number, to: number, now = Date.now()): string {
  const year = (at: number): string => (new Date(at).getFullYear() === new Date(now).getFullYear() ? "" : ` ${new Date(at).getFullYear()}`);
  const [begin, end] = [`${day(from)}${year(from)}`, `${day(to)}${year(to)}`];
  return begin === end ? `${begin}, ${clock(from)} – ${clock(to)}` : `${begin}, ${clock(from)} – ${end}, ${clock(to)}`;
}

/** A share: `0.4 %`, and never `0 %` of something. */
export function share(part: number, whole: number): string {
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 0.1) return "below 0.1 %";
  return `${percent.toLocaleString("en", { maximumFractionDigits: percent < 10 ? 1 : 0 })} %`;
}

/** What is written below the axis at these times, which are so many seconds apart. */
export function ticks(times: number[], apart: number): string[] {
  return times.map((seconds) => {
    const at = seconds * 1000;
    const midnight = new Date(at).getHours() === 0 && new Date(at).getMinutes() === 0;
    if (apart >= 86_400) return day(at);
    if (apart >= 60) return midnight ? day(at) : clock(at, false);
    return clock(at);
  });
}

/** Where a logarithmic axis has its numbers: zero and the powers of ten. */
export function logTicks(low: number, high: number): number[] {
  const found = [0];
  for (let power = 1; power <= Math.max(high, -low); power *= 10) found.push(power, -power);
  return found.filter((it) => it >= low && it <= high).sort((one, other) => one - other);
}

/** `1 fave`, `3 faves`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}
