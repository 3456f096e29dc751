// Scenes set several things together. The automation sets one by itself.

import { h, say, write, fresh } from "./dom.js";
import { took, ago, reading } from "./format.js";
import { settable, twin, off } from "./store.js";

const slug = (name) =>
  name
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");

/** What a scene can hold: a time of day only as its text, since no scene can set a time. */
const scenic = (store) => store.ours().filter((e) => ["number", "select", "switch"].includes(e.domain) || twin(e));

const plain = (e) => e.full.replace(/ \(text\)$/, "");
const spoken = (e) =>
  `${reading(e.state, e.attributes.unit_of_measurement)} ${e.attributes.unit_of_measurement ?? ""}`.trim();

export function scenesView(app) {
  const list = h("div", { class: "scenes" });
  const rule = ruleCard(app);
  const view = h(
    "div",
    { class: "columns" },
    h("section", { class: "card" }, h("h2", { text: "Scenes" }), list, sceneForm(app)),
    h("section", { class: "card" }, h("h2", { text: "Automation" }), rule, ruleForm(app)),
  );
  const known = new Map(); // entity_id -> card

  function show() {
    const all = [...app.store.entities.values()].filter((e) => e.domain === "scene");
    for (const [id, card] of known)
      if (!app.store.entities.has(id)) {
        card.remove();
        known.delete(id);
      }
    for (const e of all) {
      if (!known.has(e.id)) {
        known.set(e.id, sceneCard(e, app));
        list.append(known.get(e.id));
      }
      known.get(e.id).update(e);
    }
    rule.update();
  }
  app.store.addEventListener("shape", show);
  app.store.addEventListener("change", show);
  show();
  view.leave = () => {
    app.store.removeEventListener("shape", show);
    app.store.removeEventListener("change", show);
  };
  return view;
}

/** A scene that is made while the host runs has an id and no name. */
function title(e) {
  const words = (e.attributes.friendly_name ?? e.id).replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

const OTHERS = 5000; // ms that the other writes are waited for when one has failed

/** Shows a scene; when it is applied, what became of each write. */
function sceneCard(e, app) {
  const name = title(e);
  const when = h("span", { class: "note" });
  const outcomes = h("ul", { class: "outcomes" });
  const apply = h("button", { type: "button", class: "main", text: "Apply" });
  const remove = h("button", { type: "button", class: "quiet", text: "Delete" });
  const card = h(
    "article",
    { class: "item", "data-entity": e.id },
    h("div", { class: "head" }, h("h3", { text: name }), when, apply, remove),
    outcomes,
  );

  apply.addEventListener("click", async () => {
    const members = card.entity.attributes.entity_id ?? [];
    const waits = new Map(members.map((id) => [id, outcome(app.store.entities.get(id)?.full ?? id)]));
    outcomes.replaceChildren(...[...waits.values()].map((o) => o.element));
    apply.disabled = true;
    const end = app.connection.subscribe("subscribe_events", { event_type: "devhost_write" }, ({ data }) => {
      waits.get(data.entity_id)?.end(data);
    });
    const began = performance.now();
    let failure;
    try {
      await app.connection.action("scene.turn_on", {}, [e.id]);
      say(`The scene ${name} is applied.`);
      write(when, `applied in ${took(performance.now() - began)}`);
    } catch (err) {
      failure = err.message;
      say(`The scene ${name} failed. ${failure}`);
      write(when, "not wholly applied");
    }
    apply.disabled = false;
    setTimeout(
      () => {
        // after a failure the other writes go on
        end();
        for (const [id, o] of waits) o.settle(app.store.entities.get(id), failure);
      },
      failure ? OTHERS : 1000,
    );
  });
  remove.addEventListener("click", () => app.tell(app.connection.action("scene.delete", {}, [e.id])));
  card.update = (now) => {
    card.entity = now;
    if (!when.textContent) write(when, `${now.attributes.entity_id?.length ?? 0} settings`);
  };
  return card;
}

/** One line of a scene's outcome. */
function outcome(name) {
  const text = h("span", { class: "outcome", text: "…" });
  const element = h(
    "li",
    { "data-outcome": "pending" },
    h("span", { class: "name", text: name.replace(/ \(text\)$/, "") }),
    text,
  );
  let done = false;
  return {
    element,
    end({ ok, took_ms, error }) {
      done = true;
      element.dataset.outcome = ok ? "confirmed" : "failed";
      write(text, ok ? `confirmed in ${took(took_ms)}` : error.message.replace(/^Validation error: /, ""));
    },
    /** Ends what no write was told of: what is as wished already is not written, nor what is unavailable. */
    settle(now, failure) {
      if (done) return;
      const away = !now || off(now);
      element.dataset.outcome = away || failure ? "failed" : "same";
      write(text, away ? "unavailable: not written" : failure ? "not known" : "was so already");
    },
  };
}

function sceneForm(app) {
  const name = h("input", {
    type: "text",
    id: fresh("scene"),
    placeholder: "Charge at night",
    required: true,
    maxLength: 40,
    autocomplete: "off",
  });
  const filter = h("input", { type: "search", placeholder: "Filter settings", "aria-label": "Filter settings" });
  const choice = h("div", { class: "choice", role: "group", "aria-label": "Settings of the scene" });
  const problem = h("p", { class: "problem", role: "alert" });
  const picked = new Set();
  const form = h(
    "form",
    { class: "make" },
    h("h3", { text: "Make a scene from what is set now" }),
    h("label", { for: name.id, text: "Name" }),
    name,
    filter,
    choice,
    problem,
    h("button", { class: "main", text: "Make scene" }),
  );

  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    const fit = scenic(app.store).filter(
      (e) => !off(e) && (picked.has(e.id) || words.every((w) => e.full.toLowerCase().includes(w))),
    );
    choice.replaceChildren(
      ...fit.map((e) => {
        const box = h("input", { type: "checkbox", checked: picked.has(e.id) });
        box.addEventListener("change", () => (box.checked ? picked.add(e.id) : picked.delete(e.id)));
        return h(
          "label",
          { class: "pick" },
          box,
          h("span", { class: "name", text: plain(e) }),
          h("span", { class: "now", text: spoken(e) }),
        );
      }),
    );
  };
  filter.addEventListener("input", show);
  form.addEventListener("focusin", () => {
    if (!choice.childElementCount) show();
  });
  app.store.addEventListener("shape", show);
  show();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    write(problem, "");
    if (!picked.size) return write(problem, "Choose at least one setting.");
    if (!slug(name.value)) return write(problem, "A name needs a letter or a number.");
    try {
      await app.connection.action("scene.create", { scene_id: slug(name.value), snapshot_entities: [...picked] });
      say(`The scene ${name.value} is made.`);
      name.value = "";
      picked.clear();
      show();
    } catch (err) {
      write(problem, err.message);
    }
  });
  return form;
}

const RULE = "automation.rule"; // the host has this one

/** Shows the automation, or that there is none. */
function ruleCard(app) {
  const sentence = h("p", { class: "rule" });
  const when = h("p", { class: "note" });
  const remove = h("button", { type: "button", class: "quiet", text: "Delete" });
  const card = h(
    "article",
    { class: "item", "data-entity": RULE },
    h("div", { class: "head" }, sentence, remove),
    when,
  );
  remove.addEventListener("click", () => app.tell(app.connection.call("devhost/automation", { automation: null })));
  card.update = () => {
    const now = app.store.entities.get(RULE);
    remove.hidden = !now;
    write(sentence, now ? describe(now.attributes, app.store) : "There is none.");
    const { last_triggered: last, last_error: failed } = now?.attributes ?? {};
    write(
      when,
      !now
        ? ""
        : last
          ? `It last ran ${ago(Date.parse(last))}${failed ? ` and failed: ${failed}` : ""}.`
          : "It has not run yet.",
    );
    when.classList.toggle("problem", Boolean(failed));
  };
  card.update();
  return card;
}

function describe({ watch, above, below, set, to }, store) {
  const name = (id) => store.entities.get(id)?.full ?? id;
  const unit = (id) => ` ${store.entities.get(id)?.attributes.unit_of_measurement ?? ""}`.trimEnd();
  const limit = above !== undefined ? `above ${above}` : `below ${below}`;
  return `When ${name(watch)} is ${limit}${unit(watch)}, set ${name(set)} to ${to}${unit(set)}.`;
}

function ruleForm(app) {
  const watched = chooser(
    "Entity that is watched",
    (e) => e.attributes.unit_of_measurement && ["sensor", "number"].includes(e.domain),
  );
  const target = chooser("Entity that is set", (e) => settable(e) && !twin(e));
  const way = h(
    "select",
    { class: "word", "aria-label": "Above or below" },
    h("option", { value: "above", text: "is above" }),
    h("option", { value: "below", text: "is below" }),
  );
  const limit = h("input", { type: "number", step: "any", required: true, "aria-label": "Limit" });
  const value = h("input", { type: "text", required: true, "aria-label": "Value that is set", autocomplete: "off" });
  const values = h("datalist", { id: fresh("values") });
  value.setAttribute("list", values.id);
  const problem = h("p", { class: "problem", role: "alert" });
  const form = h(
    "form",
    { class: "make" },
    h("h3", { text: "Make the automation" }),
    h("div", { class: "line" }, h("span", { text: "When" }), watched.element, way, limit),
    h("div", { class: "line" }, h("span", { text: "set" }), target.element, h("span", { text: "to" }), value, values),
    problem,
    h("button", { class: "main", text: "Make automation" }),
  );

  const show = () => {
    watched.fill(app.store);
    target.fill(app.store);
    offer();
  };
  const offer = () => {
    const e = app.store.entities.get(target.element.value);
    const options = e?.domain === "switch" ? ["on", "off"] : (e?.attributes.options ?? []);
    values.replaceChildren(...options.map((o) => h("option", { value: o })));
    const unit = e?.attributes.unit_of_measurement ?? "";
    value.placeholder =
      e?.domain === "number" ? `${e.attributes.min} to ${e.attributes.max} ${unit}`.trim() : (options[0] ?? "06:30");
    limit.placeholder = app.store.entities.get(watched.element.value)?.attributes.unit_of_measurement ?? "";
  };
  for (const chosen of [watched, target]) chosen.element.addEventListener("change", offer);
  app.store.addEventListener("shape", show);
  show();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    write(problem, "");
    try {
      await app.connection.call("devhost/automation", {
        automation: {
          watch: watched.element.value,
          [way.value]: Number(limit.value),
          set: target.element.value,
          to: value.value.trim(),
        },
      });
      say("The automation is made.");
      limit.value = value.value = "";
    } catch (err) {
      write(problem, err.message);
    }
  });
  return form;
}

/** Makes a list of entities to choose one from. */
function chooser(title, fits) {
  const element = h("select", { "aria-label": title, required: true });
  return {
    element,
    fill(store) {
      const chosen = element.value;
      element.replaceChildren(
        ...store
          .ours()
          .filter(fits)
          .map((e) => h("option", { value: e.id, text: e.full })),
      );
      if (chosen) element.value = chosen;
    },
  };
}
