// Developer tools: states, actions with their fields, events as they come.

import { h, write, fresh } from "./dom.js";
import { took, time } from "./format.js";
import { lineView } from "./line.js";

const TABS = { states: ["States", statesView], actions: ["Actions", actionsView], events: ["Events", eventsView], line: ["Line", lineView] };
const MOST = 200; // rows of a list

export function toolsView(app, tab) {
  const chosen = TABS[tab] ? tab : "line";
  const inner = TABS[chosen][1](app);
  const bar = h("nav", { class: "tabs", "aria-label": "Developer tools" }, ...Object.entries(TABS).map(([key, [title]]) =>
    h("a", { href: `#/tools/${key}`, text: title, "aria-current": key === chosen && "page" })));
  const view = h("div", { class: "tools" }, bar, inner);
  view.leave = () => inner.leave?.();
  return view;
}

function statesView(app) {
  const filter = h("input", { type: "search", placeholder: "Filter, as battery power", "aria-label": "Filter states" });
  const body = h("tbody");
  const count = h("span", { class: "note", role: "status" });
  const view = h("section", { class: "card wide" }, h("div", { class: "bar" }, filter, count),
    h("div", { class: "scroll" }, h("table", { class: "list states" }, h("thead", {}, h("tr", {}, ...["Entity", "State", "Attributes"].map((t) => h("th", { scope: "col", text: t })))), body)));
  let rows = new Map();

  const list = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fit = [...app.store.entities.values()].filter((e) => words.every((w) => `${e.id} ${e.full ?? ""} ${e.state}`.toLowerCase().includes(w))).sort((a, b) => a.id.localeCompare(b.id));
    rows = new Map(fit.slice(0, MOST).map((e) => [e.id, row(e)]));
    body.replaceChildren(...[...rows.values()].map((r) => r.element));
    write(count, fit.length > MOST ? `${MOST} of ${fit.length}` : `${fit.length} states`);
  };
  const row = (e) => {
    const state = h("td", { class: "state" }), attributes = h("td", { class: "attributes" });
    const r = {
      element: h("tr", {}, h("td", { class: "id" }, e.id, h("small", { text: e.full ?? "" })), state, attributes),
      update() {
        write(state, e.state);
        write(attributes, Object.entries(e.attributes).filter(([k]) => k !== "friendly_name").map(([k, v]) => `${k}: ${Array.isArray(v) ? v.join(", ") : v}`).join(" · "));
      },
    };
    r.update();
    return r;
  };
  const change = ({ detail }) => { for (const id of detail) rows.get(id)?.update(); };
  filter.addEventListener("input", list);
  app.store.addEventListener("shape", list);
  app.store.addEventListener("change", change);
  list();
  view.leave = () => {
    app.store.removeEventListener("shape", list);
    app.store.removeEventListener("change", change);
  };
  return view;
}

function actionsView(app) {
  const choice = h("select", { id: fresh("action") });
  const form = h("form", { class: "fields" });
  const result = h("pre", { class: "result", role: "status" });
  const view = h("section", { class: "card wide" }, h("div", { class: "bar" }, h("label", { for: choice.id, text: "Action" }), choice), form, result);
  let services = {};

  const build = () => {
    const [domain, name] = choice.value.split(".");
    const { fields = {}, target, response } = services[domain]?.[name] ?? {};
    const inputs = Object.entries(fields).map(([key, field]) => [key, input(key, field, app.store)]);
    const aim = target && input("entity_id", { required: true, selector: { entity: { ...target.entity?.[0], multiple: true } } }, app.store);
    const wanted = response?.optional && h("input", { type: "checkbox", checked: true });
    form.replaceChildren(...(aim ? [aim.element] : []), ...inputs.map(([, i]) => i.element),
      ...(wanted ? [h("label", { class: "field" }, h("span", { text: "return_response" }), wanted)] : []), h("button", { class: "main", text: "Perform action" }));
    form.onsubmit = async (event) => {
      event.preventDefault();
      const began = performance.now();
      write(result, "…");
      delete result.dataset.outcome;
      try {
        const data = Object.fromEntries(inputs.map(([key, i]) => [key, i.value()]).filter(([, v]) => v !== undefined));
        const answer = await app.connection.action(choice.value, data, aim ? [aim.value()].flat().filter(Boolean) : [], response && (!response.optional || wanted.checked));
        result.dataset.outcome = "confirmed";
        write(result, `done in ${took(performance.now() - began)}\n${answer.response ? JSON.stringify(answer.response, null, 2) : ""}`);
      } catch (err) {
        result.dataset.outcome = "failed";
        write(result, `${err.code ?? "error"}: ${err.message}`);
      }
    };
  };
  choice.addEventListener("change", build);
  app.connection.call("get_services").then((all) => {
    services = all;
    const names = Object.entries(all).flatMap(([domain, of]) => Object.keys(of).map((name) => `${domain}.${name}`)).sort();
    choice.replaceChildren(...names.map((n) => h("option", { value: n, text: n })));
    choice.value = names.includes("solarhub.read_value") ? "solarhub.read_value" : names[0];
    build();
  }, (err) => write(result, err.message));
  return view;
}

/** Makes the input of a field of an action, by its selector. */
function input(key, { required, selector = {}, example, default: preset }, store) {
  const [kind, wants] = Object.entries(selector)[0] ?? ["text", {}];
  const label = h("span", { text: key });
  if (required) label.append(h("abbr", { title: "required", text: "*" }));
  const wrap = (e) => h("label", { class: "field" }, label, e);
  const hint = example === undefined ? "" : typeof example === "object" ? JSON.stringify(example) : String(example).split("\n")[0];
  if (kind === "boolean") {
    const box = h("input", { type: "checkbox", checked: preset === true });
    return { element: wrap(box), value: () => box.checked };
  }
  if (kind === "entity") {
    const { multiple, filter = [wants] } = wants ?? {};
    const domains = [filter].flat().flatMap((f) => f?.domain ?? []);
    const fit = [...store.entities.values()].filter((e) => !domains.length || domains.includes(e.domain)).sort((a, b) => a.id.localeCompare(b.id));
    const list = h("datalist", { id: fresh("entities") }, ...fit.map((e) => h("option", { value: e.id, text: e.full ?? "" })));
    const box = h("input", { type: "text", required, autocomplete: "off", spellcheck: false, placeholder: domains.join(", ") });
    box.setAttribute("list", list.id);
    const ids = () => box.value.split(/[\s,]+/).filter(Boolean);
    return { element: h("div", { class: "field" }, wrap(box), list), value: () => (box.value === "" ? undefined : multiple ? ids() : box.value.trim()) };
  }
  if (kind === "device") {
    const list = h("select", { required }, ...store.roots.map((r) => h("option", { value: r.id, text: r.name })));
    return { element: wrap(list), value: () => list.value || undefined };
  }
  if (kind === "number") {
    const box = h("input", { type: "number", required, min: wants?.min, max: wants?.max, step: wants?.step ?? "any", placeholder: hint });
    return { element: wrap(box), value: () => (box.value === "" ? undefined : Number(box.value)) };
  }
  if (kind === "object") {
    const box = h("textarea", { required, rows: 3, placeholder: '{"number.house_battery_maximum_charge_current": "60"}', spellcheck: false });
    return { element: wrap(box), value: () => (box.value.trim() === "" ? undefined : JSON.parse(box.value)) };
  }
  const box = h("input", { type: kind === "time" ? "time" : "text", required, placeholder: hint, autocomplete: "off" });
  return { element: wrap(box), value: () => (box.value === "" ? undefined : box.value) };
}

function eventsView(app) {
  const kind = h("input", { type: "search", placeholder: "All types; or one, as devhost_write", "aria-label": "Type of events" });
  const hold = h("button", { type: "button", class: "quiet", text: "Pause" });
  const body = h("ol", { class: "events", "aria-label": "Events, the newest first" });
  const count = h("span", { class: "note" });
  const view = h("section", { class: "card wide" }, h("div", { class: "bar" }, kind, hold, count), body);
  let held = false, waiting = [], seen = 0, end = () => {};

  const listen = () => {
    end();
    const type = kind.value.trim();
    end = app.connection.subscribe("subscribe_events", type ? { event_type: type } : {}, (e) => { seen++; if (!held) waiting.push(e); },
      (err) => write(count, err.message));
  };
  const clock = setInterval(() => {
    const now = waiting.slice(-MOST);
    waiting = [];
    write(count, `${seen} seen`);
    body.prepend(...now.reverse().map(event));
    while (body.childElementCount > MOST) body.lastChild.remove();
  }, 250);
  hold.addEventListener("click", () => { held = !held; write(hold, held ? "Go on" : "Pause"); });
  kind.addEventListener("change", listen);
  listen();
  view.leave = () => { end(); clearInterval(clock); };
  return view;
}

function event({ event_type: type, data, time_fired: fired }) {
  const brief = type === "state_changed" ? `${data.entity_id}  ${data.old_state?.state ?? "–"} → ${data.new_state?.state ?? "–"}` : JSON.stringify(data).slice(0, 160);
  const details = h("details", {}, h("summary", {}, h("time", { text: time(Date.parse(fired)) }), h("b", { text: type }), h("span", { text: brief })));
  details.addEventListener("toggle", () => details.append(h("pre", { text: JSON.stringify(data, null, 2) })), { once: true });
  return h("li", {}, details);
}
