// One control for each platform that can be set. A set-value shows that it is under way, and then that the device holds
// it and how long that took, or a sentence that says why not. Afterwards the control shows what was read back.

import { h, write, say, fresh } from "./dom.js";
import { took, reading, time, asOf } from "./format.js";
import { off } from "./store.js";

const CONFIRMED = 6000; // ms that a confirmation is shown

const makers = { number, select, switch: toggle, time: timeOfDay, text, button };

/** Makes the row of an entity that can be set. Its update() shows the present state. */
export function control(e, { connection, store }, label = e.label) {
  const outcome = h("span", { class: "outcome", id: fresh("outcome") });
  const id = fresh("set"),
    read = h("small", { class: "age" });
  const row = h("div", { class: "row set", "data-entity": e.id });
  let waiting = 0,
    timer;

  // Home Assistant's own actions do nothing for an entity that is unavailable, and report success; write_value tells.
  async function set(value, shown, action = "solarhub.write_value") {
    const began = performance.now();
    waiting++;
    clearTimeout(timer);
    row.dataset.outcome = "pending";
    write(outcome, "writing …");
    try {
      if (action === "button.press") await connection.action(action, {}, [e.id]);
      else await connection.action(action, { entity_id: e.id, value });
      const ms = performance.now() - began;
      store.flush();
      if (--waiting) return;
      row.dataset.outcome = "confirmed";
      row.dataset.ms = Math.round(ms);
      write(outcome, `confirmed in ${took(ms)}`);
      say(`${e.full} is ${shown}, confirmed.`);
      timer = setTimeout(() => {
        delete row.dataset.outcome;
        write(outcome, "");
        row.update();
      }, CONFIRMED);
    } catch (err) {
      if (--waiting) return;
      row.dataset.outcome = "failed";
      write(outcome, err.message);
      say(`${e.full} was not set. ${err.message}`);
    }
    row.update();
  }

  const part = makers[e.domain](e, id, set);
  for (const c of part.inputs) c.setAttribute("aria-describedby", outcome.id);
  row.append(
    h("label", { class: "name", for: id, id: `${id}-name`, title: e.full }, label, read),
    h("span", { class: "control" }, ...part.elements),
    outcome,
  );
  row.update = () => {
    const away = off(e);
    row.classList.toggle("away", away);
    for (const c of part.inputs) c.disabled = away && c !== document.activeElement; // nobody is interrupted
    if (!waiting) part.show(e.state);
    age(row, read, outcome, e);
  };
  row.update();
  return row;
}

/** Shows when a value from before a restart was read; and, if there is no outcome, that only this value is missing. */
function age(row, age, outcome, e) {
  write(age, e.attributes.read_at ? asOf(Date.parse(e.attributes.read_at)) : "");
  if (row.dataset.outcome) return;
  const alone = off(e) && row.isConnected && !row.closest(".gone");
  write(outcome, alone ? `unavailable since ${time(e.changed)}: the device does not give it` : "");
}

// A number is typed into a text field: a number field changes its value when someone scrolls over it, and gives no text
// if what was typed is no number.
function number(e, id, set) {
  const { min, max, step, mode, unit_of_measurement: unit = "" } = e.attributes;
  const box = h("input", {
    type: "text",
    inputMode: "decimal",
    id,
    autocomplete: "off",
    title: `${min} to ${max} ${unit}, in steps of ${step}`,
    "aria-label": `${e.label}, ${min} to ${max} ${unit}`,
  });
  let typing = false; // what stands in the box is a person's, and not set yet
  const commit = (text) => {
    typing = false;
    const value = text.trim().replace(",", ".");
    if (!box.isConnected || value === "" || Number(value) === Number(e.state)) return;
    set(Number.isFinite(Number(value)) ? Number(value) : value, `${value} ${unit}`);
  };
  box.addEventListener("change", () => commit(box.value));
  box.addEventListener("input", () => {
    typing = true;
  });
  box.addEventListener("blur", () => {
    typing = false;
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      box.value = e.state;
      box.blur();
    }
  });
  const slides = mode !== "box" && (max - min) / step <= 400;
  const slider = slides && sliderOf(e, id, box, commit);
  return {
    elements: [...(slider ? [slider] : []), box, h("span", { class: "unit", text: unit })],
    inputs: slider ? [box, slider] : [box],
    show(state) {
      const known = Number.isFinite(Number(state)) && state !== "";
      if (!typing) box.value = known ? String(Number(state)) : "";
      if (!slider) return;
      slider.classList.toggle("unseen-thumb", !known);
      if (known) slider.value = state;
    },
  };
}

const RESTS = 400; // ms without a key, after which a slider has come to rest

function sliderOf(e, id, box, commit) {
  const { min, max, step } = e.attributes;
  const slider = h("input", { type: "range", min, max, step, "aria-labelledby": `${id}-name` });
  let keys = false,
    timer;
  slider.addEventListener("keydown", () => {
    keys = true;
  });
  slider.addEventListener("pointerdown", () => {
    keys = false;
  });
  slider.addEventListener("input", () => {
    box.value = slider.value;
  });
  slider.addEventListener("change", () => {
    // with each press of an arrow, or when the mouse is let go
    clearTimeout(timer);
    timer = setTimeout(() => commit(slider.value), keys ? RESTS : 0);
  });
  return slider;
}

function select(e, id, set) {
  const list = h("select", { id }, ...(e.attributes.options ?? []).map((o) => h("option", { value: o, text: o })));
  list.addEventListener("change", () => set(list.value, list.value));
  return {
    elements: [list],
    inputs: [list],
    show(state) {
      list.value = state;
    },
  };
}

// A switch is on or off. One whose state is not known is a button that says so: a role of switch has no third state.
function toggle(e, id, set) {
  const button = h(
    "button",
    { type: "button", class: "switch", id, "aria-labelledby": `${id}-name` },
    h("span", { class: "knob" }),
  );
  const unknown = h("span", { class: "note", text: "unknown" });
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-checked") !== "true";
    show(on ? "on" : "off");
    set(on ? "on" : "off", on ? "on" : "off");
  });
  const show = (state) => {
    const known = state === "on" || state === "off";
    unknown.hidden = known || off(e);
    if (known) {
      button.setAttribute("role", "switch");
      button.setAttribute("aria-checked", state === "on");
    } else {
      button.removeAttribute("role");
      button.removeAttribute("aria-checked");
    }
  };
  return { elements: [unknown, button], inputs: [button], show };
}

// A browser tells of a change with each digit of a time. It is set once it is typed: at Enter, or when the box is left.
function timeOfDay(e, id, set) {
  const box = h("input", { type: "time", id });
  const commit = () => {
    if (box.value && box.value !== e.state.slice(0, 5)) set(box.value, box.value);
  };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") commit();
    if (event.key === "Escape") box.value = e.state.slice(0, 5);
  });
  box.addEventListener("blur", commit);
  return {
    elements: [box],
    inputs: [box],
    show(state) {
      if (document.activeElement !== box) box.value = state.slice(0, 5);
    },
  };
}

function text(e, id, set) {
  const { min: minLength, max: maxLength, pattern } = e.attributes;
  const box = h("input", { type: "text", id, minLength, maxLength, pattern, autocomplete: "off", spellcheck: false });
  box.addEventListener("change", () => set(box.value, box.value));
  return {
    elements: [box],
    inputs: [box],
    show(state) {
      if (document.activeElement !== box) box.value = state;
    },
  };
}

function button(e, id, set) {
  const press = h("button", { type: "button", class: "quiet", id, text: "Press" });
  press.addEventListener("click", () => set(undefined, "pressed", "button.press"));
  return { elements: [press], inputs: [press], show() {} };
}

const words = { on: "on", off: "off" };
const byClass = {
  connectivity: { on: "connected", off: "not connected" },
  running: { on: "running", off: "stopped" },
  problem: { on: "problem", off: "all well" },
};

/** Makes the row of an entity that is only read. */
export function shown(e, label = e.label) {
  const value = h("span", { class: "value" });
  const unit = h("span", { class: "unit" });
  const outcome = h("span", { class: "outcome" }),
    read = h("small", { class: "age" });
  const row = h(
    "div",
    { class: "row", "data-entity": e.id },
    h("span", { class: "name", title: e.full }, label, read),
    h("span", { class: "reading" }, value, unit),
    outcome,
  );
  row.update = () => {
    row.classList.toggle("away", off(e));
    const text =
      e.domain === "binary_sensor"
        ? ((byClass[e.attributes.device_class] ?? words)[e.state] ?? e.state)
        : reading(e.state, e.attributes.unit_of_measurement, e.precision);
    row.classList.toggle("wordy", text.length > 24);
    write(value, text);
    write(unit, /^(unknown|unavailable)$/.test(e.state) ? "" : (e.attributes.unit_of_measurement ?? ""));
    age(row, read, outcome, e);
  };
  row.update();
  return row;
}
