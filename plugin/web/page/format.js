// How numbers, times and ages are written.

const grouped = new Map();

/** Writes a number with so many decimals, in groups of three. */
export function decimal(value, digits) {
  let format = grouped.get(digits);
  if (!format) {
    format = new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    grouped.set(digits, format);
  }
  return format.format(value).replaceAll(",", "\u202f").replace("-", "\u2212");
}

const byUnit = { W: 0, var: 0, VA: 0, Wh: 0, "%": 0, V: 1, A: 1, "°C": 1, kWh: 2, Hz: 2 };

/** Writes a state as a person reads it, without its unit. precision is what the host says, if it does. */
export function reading(state, unit, precision) {
  if (state === "unknown") return "unknown";
  if (state === "unavailable") return "–";
  if (unit === undefined || state === "" || !Number.isFinite(Number(state))) return state;
  const [, fraction = ""] = state.split(".");
  const most = precision ?? byUnit[unit] ?? 3;
  return decimal(Number(state), precision ?? Math.min(fraction.length, most));
}

/** Writes a power in W or kW: [number, unit]. */
export function power(watts) {
  if (!Number.isFinite(watts)) return ["–", "W"];
  const size = Math.abs(watts);
  return size < 1000 ? [decimal(watts, 0), "W"] : [decimal(watts / 1000, size < 10000 ? 2 : 1), "kW"];
}

/** Writes milliseconds: "84 ms", "1.2 s". */
export const took = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** Writes how long ago a moment was, given in ms since 1970. */
export function ago(then, now = Date.now()) {
  const s = Math.max(0, Math.round((now - then) / 1000));
  if (s < 5) return "just now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} d ago`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const short = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** Writes a moment as a time of day with seconds. */
export const time = (moment) => clock.format(moment);

/** Writes when something was read, with the day if that was another one. */
export function asOf(moment) {
  const day = new Date(moment).toDateString();
  return `as of ${day === new Date().toDateString() ? "" : `${day.slice(4, 10)}, `}${short.format(moment)}`;
}

/** Writes a moment as a time of day. */
export const minute = (moment) => short.format(moment);
