// Numbers and times as people read them.

const numbers = new Intl.NumberFormat("en");
const times = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const days = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

/** Gmail shows no more of a mail's HTML. */
export const CLIPPED_OCTETS = 102_000;

/** 1,234 */
export const count = (number) => numbers.format(number);

/** "1 file", "2 files" */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** Octets as "512 B", "3.4 kB", "1.2 MB": thousands, as Gmail's limit is told. */
export function size(octets) {
  let value = octets;
  for (const unit of ["B", "kB", "MB"]) {
    if (value < 1000 || unit === "MB") {
      const digits = unit === "B" || value >= 100 ? 0 : 1;
      return `${value.toFixed(digits)} ${unit}`;
    }
    value /= 1000;
  }
}

/** The time of day, with the date where that is not today's. */
export function when(time) {
  const date = new Date(time);
  const clock = times.format(date);
  return date.toDateString() === new Date().toDateString() ? clock : `${days.format(date)}, ${clock}`;
}
