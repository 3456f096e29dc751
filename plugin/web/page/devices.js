// Devices as their owner knows them: what they do now, energy, battery, settings, diagnostics.

import { h, write } from "./dom.js";
import { ago } from "./format.js";
import { control, shown } from "./controls.js";
import { off, settable, twin } from "./store.js";

const GROUPS = [
  ["now", "Now"],
  ["battery", "Battery"],
  ["energy", "Energy"],
  ["settings", "Settings"],
  ["diagnostics", "Diagnostics"],
];

/** Says where an entity belongs. */
function groupOf(e) {
  if (e.category === "diagnostic") return "diagnostics";
  if (settable(e) || e.domain === "button") return "settings";
  if (e.attributes.device_class === "energy") return "energy";
  return e.part === "battery" ? "battery" : "now";
}

/** Makes the view of all devices. */
export function devicesView(app) {
  const view = h("div", { class: "devices" });
  const rows = new Map(); // entity_id -> rows
  const heads = [];
  const context = { connection: app.connection, store: app.store };

  const make = (e, label) => {
    const row = settable(e) || e.domain === "button" ? control(e, context, label) : shown(e, label);
    if (!rows.has(e.id)) rows.set(e.id, []);
    rows.get(e.id).push(row);
    return row;
  };

  let built = "";

  /** Rebuilds the view if it would look different, but not while a person types in it. */
  function build() {
    const shape = JSON.stringify([
      app.store.loaded,
      app.store.roots.map((r) => [r.id, r.name]),
      app.store
        .ours()
        .map((e) => [e.id, e.label, e.category, e.attributes.min, e.attributes.max, e.attributes.options]),
    ]);
    if (shape === built) return status();
    const focused = view.contains(document.activeElement) && document.activeElement;
    if (focused && focused.matches("input, select")) {
      focused.addEventListener("blur", () => setTimeout(build), { once: true });
      return;
    }
    const held = focused && focused.matches("button") && focused.closest(".row")?.dataset.entity;
    built = shape;
    rows.clear();
    heads.length = 0;
    const all = app.store.ours().filter((e) => !twin(e));
    const sections = app.store.roots.map((root) =>
      section(
        root,
        all.filter((e) => e.root?.id === root.id),
        make,
        heads,
      ),
    );
    view.replaceChildren(
      ...(sections.length
        ? sections
        : [h("p", { class: "empty", text: app.store.loaded ? "No device yet." : "Waiting for the devices …" })]),
    );
    if (held) rows.get(held)?.[0].querySelector("button")?.focus(); // a switch keeps the keyboard
    status();
    if (app.store.loaded) performance.mark("entities shown");
  }

  function status() {
    for (const { root, element, entities: all } of heads) {
      const entities = all.filter((e) => e.category !== "diagnostic"); // what is known of its line stays
      const live = entities.filter((e) => !off(e));
      element.parentElement.parentElement.classList.toggle("gone", live.length === 0);
      if (live.length > 0 || !entities.length) {
        write(element, "online");
        continue;
      }
      const since = Math.max(...entities.map((e) => e.changed));
      write(
        element,
        `unavailable since ${new Date(since).toLocaleTimeString("en-GB")} (${ago(since)}): ${app.why(root)}`,
      );
    }
  }

  const change = ({ detail }) => {
    status(); // whether a device is away as a whole comes first
    for (const id of detail) for (const row of rows.get(id) ?? []) row.update();
  };
  app.store.addEventListener("shape", build);
  app.store.addEventListener("change", change);
  const clock = setInterval(status, 1000);
  build();
  view.leave = () => {
    app.store.removeEventListener("shape", build);
    app.store.removeEventListener("change", change);
    clearInterval(clock);
  };
  return view;
}

function section(root, entities, make, heads) {
  const { device } = root;
  const state = h("span", { class: "status" });
  heads.push({ root, element: state, entities });
  const facts = [device.model, device.serial_number && `serial number ${device.serial_number}`]
    .filter(Boolean)
    .join(" · ");
  const groups = GROUPS.map(([key, title]) => [key, title, entities.filter((e) => groupOf(e) === key)]).filter(
    ([, , all]) => all.length,
  );
  return h(
    "section",
    { class: "device", "aria-label": root.name },
    h("header", {}, h("h2", { text: root.name }), state, h("p", { class: "facts", text: facts })),
    h("div", { class: "groups" }, ...groups.map(([key, title, all]) => group(key, title, all, make))),
  );
}

function group(key, title, all, make) {
  if (key === "diagnostics") return folded(key, title, all, make);
  const body =
    key === "settings" ? settings(all, make) : all.map((e) => make(e, key === "battery" ? e.name : e.label));
  return h("div", { class: `group ${key}` }, h("h3", { text: title }), ...body);
}

/** Makes a group that is filled when it is opened. */
function folded(key, title, all, make) {
  const details = h(
    "details",
    { class: `group ${key}` },
    h("summary", {}, h("h3", { text: title }), h("span", { class: "count", text: String(all.length) })),
  );
  details.addEventListener("toggle", () => details.append(...all.map((e) => make(e))), { once: true });
  return details;
}

/** Makes settings, part by part. */
function settings(all, make) {
  const parts = Map.groupBy(all, (e) => e.partName);
  const rank = ([name, entities]) => (name === "" ? 0 : entities.some((e) => WINDOW.test(e.name)) ? 2 : 1);
  return [...parts]
    .sort((a, b) => rank(a) - rank(b))
    .flatMap(([name, entities]) => {
      const heading = parts.size > 1 && h("h4", { text: name || "Whole device" });
      const windows = Map.groupBy(
        entities.filter((e) => WINDOW.test(e.name)),
        (e) => WINDOW.exec(e.name)[1],
      );
      const rest = entities.filter((e) => !WINDOW.test(e.name)).map((e) => make(e, e.name));
      return [
        h(
          "div",
          { class: "part" },
          heading,
          ...rest,
          ...[...windows].map(([n, inside]) => timeWindow(n, inside, make)),
        ),
      ];
    });
}

const WINDOW = /^Window (\d+) (.+)$/;

/** Makes the settings of one window of time, which belong together. */
function timeWindow(n, entities, make) {
  const row = h("fieldset", { class: "window" }, h("legend", { text: `Window ${n}` }));
  for (const e of entities) {
    const name = WINDOW.exec(e.name)[2];
    row.append(make(e, name[0].toUpperCase() + name.slice(1)));
  }
  return row;
}
