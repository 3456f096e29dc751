// A chart of the powers that the page has seen.

import { h, svg } from "./dom.js";
import { decimal, minute } from "./format.js";
import { SERIES } from "./roles.js";

/** Draws the powers since the page was opened. Each line has a dash of its own, so its colour is not needed. */
export function chart() {
  const element = svg("svg", {
    class: "plot",
    role: "img",
    "aria-label": "Powers of solar, home, battery and grid since this page was opened",
  });
  const zero = svg("path", { class: "zero" }),
    rules = svg("path", { class: "rules" }),
    area = svg("path", { class: "area solar" });
  const lines = Object.fromEntries(SERIES.map(([key]) => [key, svg("path", { class: `curve ${key}` })]));
  const texts = svg("g", { class: "marks" });
  element.append(rules, area, zero, ...SERIES.map(([key]) => lines[key]), texts);
  const legend = h("ul", { class: "legend" }, ...SERIES.map(([key, title]) => h("li", {}, mark(key), title)));

  return {
    element,
    legend,
    show(points) {
      const width = element.clientWidth,
        height = element.clientHeight;
      if (!width || points.length < 2) return;
      element.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const left = 40,
        right = 8,
        top = 10,
        bottom = 22;
      const last = points.at(-1).t,
        first = Math.min(points[0].t, last - 60e3);
      const values = points.flatMap((p) => SERIES.map(([key]) => p[key]).filter(Number.isFinite));
      const step = nice((Math.max(1000, ...values) - Math.min(0, ...values)) / 5);
      const high = step * Math.ceil(Math.max(1000, ...values) / step),
        low = step * Math.floor(Math.min(0, ...values) / step);
      const x = (t) => left + ((width - left - right) * (t - first)) / (last - first);
      const y = (v) => top + ((height - top - bottom) * (high - v)) / (high - low);
      const thin = Math.max(1, Math.floor(points.length / (width - left)));
      const kept = points.filter((_, i) => i % thin === 0);
      const path = (key, filled) => {
        let d = "",
          from,
          to; // of a stretch without a gap
        const end = () => {
          if (filled && from !== undefined) d += `L${to} ${y(0)}L${from} ${y(0)}z`;
          from = undefined;
        };
        for (const p of kept) {
          if (!Number.isFinite(p[key])) {
            end();
            continue;
          }
          to = x(p.t).toFixed(1);
          d += `${from === undefined ? "M" : "L"}${to} ${y(p[key]).toFixed(1)}`;
          from ??= to;
        }
        end();
        return d;
      };
      for (const [key] of SERIES) lines[key].setAttribute("d", path(key));
      area.setAttribute("d", path("solar", true));
      zero.setAttribute("d", `M${left} ${y(0)}H${width - right}`);
      marks({ texts, rules, low, high, step, x, y, first, last, left, width, height, right });
    },
  };
}

function marks({ texts, rules, low, high, step, x, y, first, last, left, width, height, right }) {
  let d = "";
  const made = [];
  for (let v = low; v <= high + 1; v += step) {
    d += `M${left} ${y(v)}H${width - right}`;
    made.push(
      svg("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end", text: decimal(v / 1000, step < 1000 ? 1 : 0) }),
    );
  }
  rules.setAttribute("d", d);
  const span =
    [60e3, 5 * 60e3, 15 * 60e3, 30 * 60e3, 3600e3, 2 * 3600e3].find(
      (s) => (last - first) / s <= Math.max(2, width / 110),
    ) ?? 3600e3;
  for (let t = Math.ceil(first / span) * span; t <= last; t += span) {
    const at = x(t);
    if (at > left + 12 && at < width - right - 12)
      made.push(svg("text", { x: at, y: height - 6, "text-anchor": "middle", text: minute(t) }));
  }
  made.push(svg("text", { x: left - 6, y: height - 6, "text-anchor": "end", class: "unit", text: "kW" }));
  texts.replaceChildren(...made);
}

/** Returns the next larger of 1, 2, 5 times a power of ten. */
function nice(v) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(v, 1)));
  return ten * [1, 2, 5, 10].find((m) => m * ten >= v);
}

/** Draws a piece of a line for the legend. */
function mark(key) {
  const element = svg("svg", { viewBox: "0 0 26 4", "aria-hidden": "true" });
  element.append(svg("path", { class: `curve ${key}`, d: "M0 2H26" }));
  return element;
}
