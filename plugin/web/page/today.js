// The day at a glance: where power flows just now, how it was while the page was open, and the energy of today.

import { h, write } from "./dom.js";
import { decimal } from "./format.js";
import { flowDiagram } from "./flow.js";
import { chart } from "./chart.js";
import { sum } from "./roles.js";

export function todayView(app) {
  const flow = flowDiagram();
  const plot = chart();
  const tiles = ["made", "used", "imported", "exported", "self"].map((key) => ({
    key,
    number: h("span", { class: "number" }),
  }));
  const titles = {
    made: "Solar",
    used: "Consumed",
    imported: "From the grid",
    exported: "To the grid",
    self: "Own power",
  };
  const view = h(
    "div",
    { class: "today" },
    h(
      "section",
      { class: "card flow", "aria-label": "Power flow" },
      h("h2", { text: "Now" }),
      flow.element,
      flow.sentence,
    ),
    h(
      "section",
      { class: "card chart", "aria-label": "Since this page was opened" },
      h("h2", { text: "Since this page was opened" }),
      plot.legend,
      plot.element,
    ),
    h(
      "section",
      { class: "card tiles", "aria-label": "Energy today" },
      h("h2", { text: "Today" }),
      h(
        "dl",
        {},
        ...tiles.map((t) =>
          h(
            "div",
            {},
            h("dt", { text: titles[t.key] }),
            h("dd", {}, t.number, h("span", { class: "unit", text: t.key === "self" ? "%" : "kWh" })),
          ),
        ),
      ),
    ),
  );

  function show() {
    const r = app.history.roles;
    flow.show({
      solar: sum(r.solar),
      battery: sum(r.battery),
      grid: sum(r.grid),
      home: sum(r.home),
      charge: sum(r.charge) / r.charge.length,
    });
    const energy = { made: sum(r.made), used: sum(r.used), imported: sum(r.imported), exported: sum(r.exported) };
    energy.self = energy.used > 0 ? 100 * Math.max(0, Math.min(1, 1 - energy.imported / energy.used)) : NaN;
    for (const t of tiles)
      write(t.number, Number.isFinite(energy[t.key]) ? decimal(energy[t.key], t.key === "self" ? 0 : 1) : "–");
  }
  const draw = () => plot.show(app.history.points);
  app.store.addEventListener("change", show);
  app.store.addEventListener("shape", show);
  const clock = setInterval(draw, 1000);
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
