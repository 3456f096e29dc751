// A diagram of where power flows just now.

import { h, svg, write } from "./dom.js";
import { power, decimal } from "./format.js";
import { SERIES } from "./roles.js";

/** Draws the four ends of a house's power. The line of each is as wide as its power; its arrow shows the way. */
export function flowDiagram() {
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
    const dx = Math.sign(180 - x),
      dy = Math.sign(160 - y);
    const from = [x + 42 * dx, y + 42 * dy],
      to = [180 - 8 * dx, 160 - 8 * dy];
    const line = svg("path", { class: `stream ${key}`, d: `M${from}L${to}` });
    const arrow = svg("path", { class: `arrow ${key}` });
    const number = svg("text", { class: "number", x, y: y + 22 }),
      unit = svg("tspan", { class: "unit", dx: 2 });
    const figure = svg("tspan", {});
    number.append(figure, unit);
    const icon = svg("path", {
      class: `icon ${key}`,
      d: icons[key],
      transform: `translate(${x} ${y - 10}) scale(.9)`,
    });
    const level = key === "battery" && svg("rect", { class: "level", x: x - 5.4, width: 10.8, y: y, height: 0 });
    element.append(
      line,
      arrow,
      svg("circle", { class: `end ${key}`, cx: x, cy: y, r: 42 }),
      ...(level ? [level] : []),
      icon,
      number,
    );
    parts[key] = { line, arrow, figure, unit, level, title, from, to, x, y };
  }
  element.append(svg("circle", { class: "middle", cx: 180, cy: 160, r: 6 }));
  const soc = svg("text", { class: "aside", x: 232, y: 272 });
  element.append(soc);
  const sentence = h("p", { class: "sentence" });

  return {
    element,
    sentence,
    show(now) {
      for (const [key] of SERIES) {
        const p = parts[key],
          watts = now[key];
        const [figure, unit] = power(Math.abs(watts));
        write(p.figure, figure);
        write(p.unit, unit);
        const inward = key === "home" ? -1 : 1; // positive: towards the middle
        stream(p, Number.isFinite(watts) ? watts * inward : 0);
      }
      if (Number.isFinite(now.charge)) {
        write(soc, `${decimal(now.charge, 0)} %`);
        const { level, y } = parts.battery,
          height = (18.4 * now.charge) / 100;
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
  const mx = (a[0] + b[0]) / 2,
    my = (a[1] + b[1]) / 2,
    ux = Math.sign(b[0] - a[0]),
    uy = Math.sign(b[1] - a[1]);
  const r = 5 + Math.min(5, size / 1500);
  arrow.setAttribute(
    "d",
    size < 15
      ? ""
      : `M${mx + ux * r} ${my + uy * r}` +
        `L${mx - ux * r - uy * r} ${my - uy * r + ux * r}L${mx - ux * r + uy * r} ${my - uy * r - ux * r}z`,
  );
}

/** Says in words what the diagram shows. */
function describe({ solar, battery, grid, home }) {
  const say = (watts) => power(Math.abs(watts)).join(" ");
  if (![solar, home, battery, grid].some(Number.isFinite)) return "Waiting for the inverters.";
  const parts = [];
  if (Number.isFinite(solar)) parts.push(solar < 15 ? "There is no sun." : `The sun gives ${say(solar)}.`);
  if (Number.isFinite(home)) parts.push(`The house takes ${say(home)}.`);
  if (Math.abs(battery) >= 15) parts.push(`The battery ${battery > 0 ? "gives" : "takes"} ${say(battery)}.`);
  if (Math.abs(grid) >= 15)
    parts.push(grid > 0 ? `${say(grid)} come from the grid.` : `${say(grid)} go to the grid.`);
  if (![solar, home, battery, grid].every(Number.isFinite)) parts.push("The rest is not known at the moment.");
  return parts.join(" ");
}
