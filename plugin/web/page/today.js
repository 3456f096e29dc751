// The day at a glance: where power flows just now, and how it was in the last hours.

import { h, svg, write } from "./dom.js";
import { power, decimal, minute } from "./format.js";
import { off } from "./store.js";

const KEPT = 6 * 3600e3; // ms that the chart goes back at most
const EVERY = 1000; // ms between two points of it

/** Finds the entities that a house's powers and energies are made of, by their part and class. */
function roles(store) {
  const live = store.ours().filter((e) => e.domain === "sensor" && !e.category);
  const powers = live.filter((e) => e.attributes.device_class === "power" && e.attributes.unit_of_measurement === "W");
  const main = (part) => powers.filter((e) => e.part === part && e.name === "Power");
  const today = (part, word) => live.filter((e) => e.part === part && e.attributes.device_class === "energy" && e.name === `${word} today`);
  const inverters = new Set(powers.filter((e) => e.part === "pv").map((e) => e.root?.id));
  const meters = powers.filter((e) => e.part === "" && e.name === "Power" && !inverters.has(e.root?.id));
  return {
    solar: powers.filter((e) => e.part === "pv"),
    battery: main("battery"),
    home: main("load"),
    grid: meters.length ? meters : main("grid"),
    charge: live.filter((e) => e.part === "battery" && e.attributes.device_class === "battery"),
    made: today("pv", "Energy"), used: today("load", "Consumed"), imported: today("grid", "Imported"), exported: today("grid", "Exported"),
  };
}

const value = (e) => (off(e) || e.state === "unknown" ? NaN : Number(e.state));

/** Adds up; a sum of which one part is not known is not known. */
const sum = (list) => (list.length ? list.map(value).reduce((a, b) => a + b, 0) : NaN);

/** Keeps the powers of the last hours while the page is open. */
export class History {
  points = []; // {t, solar, battery, grid, home}
  #store; #connection; #roles; #asked = "";

  constructor(store, connection) {
    this.#store = store;
    this.#connection = connection;
    store.addEventListener("shape", () => {
      this.#roles = roles(store);
      if (store.loaded) this.#recall();
    });
    setInterval(() => this.#note(), EVERY);
  }

  /** Asks the host how the powers were before the page was opened. A host without a recorder does not know. */
  async #recall() {
    const parts = SERIES.map(([key]) => [key, this.roles[key].map((e) => e.id)]);
    const ids = parts.flatMap(([, list]) => list);
    if (this.#asked === ids.join() || !ids.length) return;
    this.#asked = ids.join();
    let past;
    try {
      past = await this.#connection.call("history/history_during_period", { start_time: new Date(Date.now() - KEPT).toISOString(),
        entity_ids: ids, minimal_response: true, no_attributes: true, significant_changes_only: false });
    } catch { return; }
    const first = Math.min(...Object.values(past).map((list) => 1000 * list[0].lu)), last = this.points[0]?.t ?? Date.now();
    if (!(first < last)) return;
    const next = new Map(ids.map((id) => [id, 0])), step = Math.max(EVERY, (last - first) / 1500);
    const at = (id, t) => {
      const list = past[id] ?? [];
      let i = next.get(id);
      while (i < list.length && 1000 * list[i].lu <= t) i++;
      next.set(id, i);
      return i ? Number(list[i - 1].s) : NaN;
    };
    const points = [];
    for (let t = first; t < last; t += step) {
      points.push({ t, ...Object.fromEntries(parts.map(([key, list]) => [key, list.length ? list.reduce((sum, id) => sum + at(id, t), 0) : NaN])) });
    }
    this.points = [...points, ...this.points];
  }

  get roles() { return (this.#roles ??= roles(this.#store)); }

  #note() {
    if (!this.#store.loaded) return;
    const r = this.roles;
    const p = { t: Date.now(), solar: sum(r.solar), battery: sum(r.battery), grid: sum(r.grid), home: sum(r.home) };
    if (![p.solar, p.battery, p.grid, p.home].some(Number.isFinite)) return;
    this.points.push(p);
    if (this.points.length > 4000) this.points = this.points.filter((_, i) => i % 2 || i > 3000); // the old ones thin out
    while (this.points[0].t < p.t - KEPT) this.points.shift();
  }
}

const SERIES = [["solar", "Solar"], ["home", "Home"], ["battery", "Battery"], ["grid", "Grid"]];

export function todayView(app) {
  const flow = flowDiagram();
  const plot = chart();
  const tiles = ["made", "used", "imported", "exported", "self"].map((key) => ({ key, number: h("span", { class: "number" }) }));
  const titles = { made: "Solar", used: "Consumed", imported: "From the grid", exported: "To the grid", self: "Own power" };
  const view = h("div", { class: "today" },
    h("section", { class: "card flow", "aria-label": "Power flow" }, h("h2", { text: "Now" }), flow.element, flow.sentence),
    h("section", { class: "card chart", "aria-label": "The last hours" }, h("h2", { text: "Last hours" }), plot.legend, plot.element),
    h("section", { class: "card tiles", "aria-label": "Energy today" }, h("h2", { text: "Today" }),
      h("dl", {}, ...tiles.map((t) => h("div", {}, h("dt", { text: titles[t.key] }), h("dd", {}, t.number, h("span", { class: "unit", text: t.key === "self" ? "%" : "kWh" })))))));

  function show() {
    const r = app.history.roles;
    flow.show({ solar: sum(r.solar), battery: sum(r.battery), grid: sum(r.grid), home: sum(r.home), charge: sum(r.charge) / r.charge.length });
    const energy = { made: sum(r.made), used: sum(r.used), imported: sum(r.imported), exported: sum(r.exported) };
    energy.self = energy.used > 0 ? 100 * Math.max(0, Math.min(1, 1 - energy.imported / energy.used)) : NaN;
    for (const t of tiles) write(t.number, Number.isFinite(energy[t.key]) ? decimal(energy[t.key], t.key === "self" ? 0 : 1) : "–");
  }
  const draw = () => plot.show(app.history.points);
  app.store.addEventListener("change", show);
  app.store.addEventListener("shape", show);
  const clock = setInterval(draw, EVERY);
  const seen = new ResizeObserver(draw);
  seen.observe(plot.element);
  show();
  view.leave = () => {
    app.store.removeEventListener("change", show);
    app.store.removeEventListener("shape", show);
    clearInterval(clock);
    seen.disconnect();
  };
  return view;
}

/** Draws the four ends of a house's power with the line of each to the middle: its width is the power, its arrow the way. */
function flowDiagram() {
  const places = { solar: [180, 52], grid: [52, 160], home: [308, 160], battery: [180, 268] };
  const icons = {
    solar: "M0-7a7 7 0 1 1 0 14a7 7 0 0 1 0-14zM0-14v3M0 11v3M-14 0h3M11 0h3M-10-10l2 2M8 8l2 2M-10 10l2-2M8-8l2-2",
    grid: "M-6 13L0-13L6 13M-9-5H9M-7 2H7M-4-5L5 2M4-5L-5 2",
    home: "M-13 1L0-11L13 1M-9-2V12H9V-2M-3 12V4H3V12",
    battery: "M-7-9H7V13H-7zM-3-9V-12H3V-9",
  };
  const parts = {};
  const element = svg("svg", { viewBox: "0 0 360 320", class: "diagram", "aria-hidden": "true" });
  for (const [key, title] of SERIES) {
    const [x, y] = places[key];
    const dx = Math.sign(180 - x), dy = Math.sign(160 - y);
    const from = [x + 42 * dx, y + 42 * dy], to = [180 - 8 * dx, 160 - 8 * dy];
    const line = svg("path", { class: `stream ${key}`, d: `M${from}L${to}` });
    const arrow = svg("path", { class: `arrow ${key}` });
    const number = svg("text", { class: "number", x, y: y + 22 }), unit = svg("tspan", { class: "unit", dx: 2 });
    const figure = svg("tspan", {});
    number.append(figure, unit);
    const icon = svg("path", { class: `icon ${key}`, d: icons[key], transform: `translate(${x} ${y - 10}) scale(.9)` });
    const level = key === "battery" && svg("rect", { class: "level", x: x - 5.4, width: 10.8, y: y, height: 0 });
    element.append(line, arrow, svg("circle", { class: `end ${key}`, cx: x, cy: y, r: 42 }), ...(level ? [level] : []), icon, number);
    parts[key] = { line, arrow, figure, unit, level, title, from, to, x, y };
  }
  element.append(svg("circle", { class: "middle", cx: 180, cy: 160, r: 6 }));
  const soc = svg("text", { class: "aside", x: 232, y: 272 });
  element.append(soc);
  const sentence = h("p", { class: "sentence" });

  return {
    element, sentence,
    show(now) {
      for (const [key] of SERIES) {
        const p = parts[key], watts = now[key];
        const [figure, unit] = power(Math.abs(watts));
        write(p.figure, figure);
        write(p.unit, unit);
        const inward = key === "home" ? -1 : 1; // positive: towards the middle
        stream(p, Number.isFinite(watts) ? watts * inward : 0);
      }
      if (Number.isFinite(now.charge)) {
        write(soc, `${decimal(now.charge, 0)} %`);
        const { level, y } = parts.battery, height = 18.4 * now.charge / 100;
        level.setAttribute("y", y - 10 + 0.9 * 12.4 - height);
        level.setAttribute("height", height);
      }
      write(sentence, describe(now));
    },
  };
}

function stream({ line, arrow, from, to }, watts) {
  const size = Math.abs(watts);
  line.setAttribute("stroke-width", size < 15 ? 1.5 : Math.min(11, 2 + size / 900));
  line.classList.toggle("still", size < 15);
  const [a, b] = watts >= 0 ? [from, to] : [to, from];
  const mx = (a[0] + b[0]) / 2, my = (a[1] + b[1]) / 2, ux = Math.sign(b[0] - a[0]), uy = Math.sign(b[1] - a[1]);
  const r = 5 + Math.min(5, size / 1500);
  arrow.setAttribute("d", size < 15 ? "" : `M${mx + ux * r} ${my + uy * r}L${mx - ux * r - uy * r} ${my - uy * r + ux * r}L${mx - ux * r + uy * r} ${my - uy * r - ux * r}z`);
}

/** Says in words what the diagram shows. */
function describe({ solar, battery, grid, home }) {
  const say = (watts) => power(Math.abs(watts)).join(" ");
  if (![solar, home, battery, grid].some(Number.isFinite)) return "Waiting for the inverters.";
  const parts = [];
  if (Number.isFinite(solar)) parts.push(solar < 15 ? "There is no sun." : `The sun gives ${say(solar)}.`);
  if (Number.isFinite(home)) parts.push(`The house takes ${say(home)}.`);
  if (Math.abs(battery) >= 15) parts.push(`The battery ${battery > 0 ? "gives" : "takes"} ${say(battery)}.`);
  if (Math.abs(grid) >= 15) parts.push(grid > 0 ? `${say(grid)} come from the grid.` : `${say(grid)} go to the grid.`);
  if (![solar, home, battery, grid].every(Number.isFinite)) parts.push("The rest is not known just now.");
  return parts.join(" ");
}

/** Draws the powers of the last hours. */
function chart() {
  const element = svg("svg", { class: "plot", role: "img", "aria-label": "Powers of solar, home, battery and grid over the last hours" });
  const zero = svg("path", { class: "zero" }), rules = svg("path", { class: "rules" }), area = svg("path", { class: "area solar" });
  const lines = Object.fromEntries(SERIES.map(([key]) => [key, svg("path", { class: `curve ${key}` })]));
  const texts = svg("g", { class: "marks" });
  element.append(rules, area, zero, ...SERIES.map(([key]) => lines[key]), texts);
  const legend = h("ul", { class: "legend" }, ...SERIES.map(([key, title]) => h("li", { class: key, text: title })));

  return {
    element, legend,
    show(points) {
      const width = element.clientWidth, height = element.clientHeight;
      if (!width || points.length < 2) return;
      element.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const left = 40, right = 8, top = 10, bottom = 22;
      const last = points.at(-1).t, first = Math.min(points[0].t, last - 60e3);
      const values = points.flatMap((p) => SERIES.map(([key]) => p[key]).filter(Number.isFinite));
      const step = nice((Math.max(1000, ...values) - Math.min(0, ...values)) / 5);
      const high = step * Math.ceil(Math.max(1000, ...values) / step), low = step * Math.floor(Math.min(0, ...values) / step);
      const x = (t) => left + (width - left - right) * (t - first) / (last - first);
      const y = (v) => top + (height - top - bottom) * (high - v) / (high - low);
      const thin = Math.max(1, Math.floor(points.length / (width - left)));
      const kept = points.filter((_, i) => i % thin === 0);
      const path = (key, filled) => {
        let d = "", from, to; // of a stretch without a gap
        const end = () => { if (filled && from !== undefined) d += `L${to} ${y(0)}L${from} ${y(0)}z`; from = undefined; };
        for (const p of kept) {
          if (!Number.isFinite(p[key])) { end(); continue; }
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
    made.push(svg("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end", text: decimal(v / 1000, step < 1000 ? 1 : 0) }));
  }
  rules.setAttribute("d", d);
  const span = [60e3, 5 * 60e3, 15 * 60e3, 30 * 60e3, 3600e3, 2 * 3600e3].find((s) => (last - first) / s <= Math.max(2, width / 110)) ?? 3600e3;
  for (let t = Math.ceil(first / span) * span; t <= last; t += span) {
    const at = x(t);
    if (at > left + 12 && at < width - right - 12) made.push(svg("text", { x: at, y: height - 6, "text-anchor": "middle", text: minute(t) }));
  }
  made.push(svg("text", { x: left - 6, y: height - 6, "text-anchor": "end", class: "unit", text: "kW" }));
  texts.replaceChildren(...made);
}

/** Returns the next larger of 1, 2, 5 times a power of ten. */
function nice(v) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(v, 1)));
  return ten * [1, 2, 5, 10].find((m) => m * ten >= v);
}
