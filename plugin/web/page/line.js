// The line: exchanges as they happen, how busy the line is, the read plan, and what was written.

import { h, write } from "./dom.js";
import { took, time } from "./format.js";

const EVERY = 1000; // ms between two looks
const MOST = 120; // exchanges that are kept
const LOOKS = 6; // that are compared: an exchange counts as a whole when it has ended

export function lineView(app) {
  const lines = h("div", { class: "lines" });
  const problem = h("p", { class: "problem", role: "status" });
  const polls = h("input", { type: "checkbox", checked: true });
  const only = h("select", { "aria-label": "Line" }, h("option", { value: "", text: "all lines" }));
  const hold = h("button", { type: "button", class: "quiet", "aria-pressed": "false", text: "Pause" });
  const body = h("tbody");
  const ledger = h("tbody");
  const head = (...names) =>
    h(
      "thead",
      {},
      h("tr", {}, ...names.map((n) => h("th", { scope: "col", text: n, class: n === "ms" && "right" }))),
    );
  const view = h(
    "div",
    { class: "line-view" },
    problem,
    lines,
    h(
      "section",
      { class: "card wide" },
      h(
        "div",
        { class: "bar" },
        h("h2", { text: "Exchanges" }),
        only,
        h("label", { class: "check" }, polls, "with polls"),
        hold,
      ),
      h(
        "div",
        { class: "scroll tall" },
        h("table", { class: "list exchanges" }, head("Time", "Device", "Asked by", "Request", "Reply", "ms"), body),
      ),
    ),
    h(
      "section",
      { class: "card wide" },
      h("h2", { text: "Set-values" }),
      h(
        "div",
        { class: "scroll" },
        h("table", { class: "list ledger" }, head("Time", "Entity", "Value", "Outcome", "ms"), ledger),
      ),
    ),
  );
  let held = false,
    waiting = [];
  const cards = new Map(),
    before = new Map();
  hold.addEventListener("click", () => {
    held = !held;
    hold.setAttribute("aria-pressed", held);
  });

  const end = app.connection.subscribe("devhost/line/subscribe", { topic: "exchange" }, ({ data }) => {
    if (!held && (polls.checked || data.asked !== "poll") && (!only.value || only.value === data.line))
      waiting.push(data);
  });
  const draw = setInterval(() => {
    if (!waiting.length) return;
    body.prepend(...waiting.slice(-MOST).reverse().map(exchange));
    waiting = [];
    while (body.childElementCount > MOST) body.lastChild.remove();
  }, 200);

  async function look() {
    try {
      const o = await app.connection.call("devhost/line");
      write(problem, "");
      for (const l of o.lines) {
        if (!cards.has(l.line)) {
          cards.set(l.line, lineCard(l));
          lines.append(cards.get(l.line).element);
          only.append(h("option", { value: l.line, text: l.devices.map((d) => d.name).join(", ") }));
        }
        const looks = before.get(l.line) ?? [];
        looks.push({ at: Date.parse(o.at), busy: l.busy_ms });
        before.set(l.line, looks.slice(-LOOKS));
        cards.get(l.line).show(l, share(looks[0], looks.at(-1)));
      }
      ledger.replaceChildren(
        ...(o.ledger ?? [])
          .slice()
          .reverse()
          .map((e) => entry(e, app.store)),
      );
    } catch (err) {
      write(problem, err.message);
    }
  }
  const clock = setInterval(look, EVERY);
  look();
  view.leave = () => {
    end();
    clearInterval(draw);
    clearInterval(clock);
  };
  return view;
}

/** Says how much of the time between two looks a line was in use, in percent. */
const share = (a, b) => (b.at > a.at ? Math.min(100, Math.max(0, (100 * (b.busy - a.busy)) / (b.at - a.at))) : 0);

/** Shows how a line is. */
function lineCard(l) {
  const meter = h("meter", { min: 0, max: 100, low: 70, high: 90, optimum: 0, "aria-label": "Line in use" });
  const facts = h("dl", { class: "facts" });
  const state = h("p", { class: "note" });
  const plan = h("div", { class: "plan" });
  const element = h(
    "section",
    { class: "card", "aria-label": l.line },
    h("h2", { text: l.devices.map((d) => d.name).join(", ") }),
    h("p", {
      class: "note mono",
      text: [l.line.replace(/^(\w+) .*\/(?=[^/]*$)/, "$1 …/"), l.serial].filter(Boolean).join(" · "),
    }),
    meter,
    facts,
    state,
    h("details", {}, h("summary", { text: "Read plan" }), plan),
  );
  let planned = "";
  return {
    element,
    show(l, used) {
      meter.value = used;
      const rows = [
        ["in use", `${used.toFixed(0)} %`],
        ["waiting", l.queued],
        ["median exchange", took(l.p50_ms)],
        ["95 % within", took(l.p95_ms)],
        ["requests", l.requests],
        ["failed", l.failed],
        ["longest wait of a write", took(l.wait_ms)],
      ];
      facts.replaceChildren(
        ...rows.map(([k, v]) => h("div", {}, h("dt", { text: k }), h("dd", { text: String(v) }))),
      );
      write(
        state,
        l.down
          ? `down: ${l.down}`
          : l.devices
              .filter((d) => !d.online)
              .map((d) => `${d.name}: ${d.reason}`)
              .join("; "),
      );
      state.classList.toggle("problem", state.textContent !== "");
      const text = JSON.stringify(l.devices);
      if (text === planned) return;
      planned = text;
      plan.replaceChildren(
        ...l.devices.map((d) =>
          h(
            "ol",
            {},
            ...(d.plan ?? []).map((r) =>
              h(
                "li",
                {},
                h("span", { class: "mono", text: r.range }),
                h("span", { class: "ms", text: `${r.wire_ms.toFixed(0)} ms` }),
              ),
            ),
          ),
        ),
      );
    },
  };
}

const hex = (words) => words.map((w) => w.toString(16).padStart(4, "0")).join(" ");

/** Shows a list of registers, a long one with its beginning. */
function registers(words) {
  const long = words.length > 10;
  return h("span", {
    title: long ? hex(words) : undefined,
    text: long ? `${hex(words.slice(0, 8))} … ${words.length} words` : hex(words),
  });
}

function exchange(e) {
  const reply = e.error
    ? h("span", { class: "bad", title: e.error, text: e.error.replace(/^.*? unit \d+: ((receive|send) \S+: )?/, "") })
    : e.words
      ? registers(e.words)
      : h("span", { text: "done" });
  return h(
    "tr",
    { class: e.asked },
    h("td", { text: `${time(Date.parse(e.at))}.${String(Date.parse(e.at) % 1000).padStart(3, "0")}` }),
    h("td", { text: e.device }),
    h("td", { class: "asked", text: e.asked }),
    h("td", { class: "mono" }, `fn ${e.function} ${e.range} `, ...(e.written ? [registers(e.written)] : [])),
    h("td", { class: "mono" }, reply),
    h("td", { class: "right", text: e.took_ms.toFixed(1) }),
  );
}

function entry(e, store) {
  const good = ["written", "unchanged"].includes(e.outcome);
  const name = store.byUnique(e.id)?.full ?? e.id;
  return h(
    "tr",
    {},
    h("td", { text: time(Date.parse(e.at)) }),
    h("td", { text: name }),
    h("td", { class: "mono", text: e.value === undefined ? e.action : String(e.value) }),
    h("td", { class: good ? "good" : "bad", text: [e.outcome, e.reason].filter(Boolean).join(": ") }),
    h("td", { class: "right", text: String(e.took_ms) }),
  );
}
