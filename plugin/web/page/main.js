// The page: it connects to the host, and shows the view that the fragment of its address names.

import { h, write, say } from "./dom.js";
import { Connection } from "./ha.js";
import { Store } from "./store.js";
import { History } from "./history.js";
import { todayView } from "./today.js";
import { devicesView } from "./devices.js";
import { scenesView } from "./scenes.js";
import { lineView } from "./line.js";

const VIEWS = { today: todayView, devices: devicesView, scenes: scenesView, line: lineView };
const KEEP = "solarhub-token";

const connection = new Connection();
const store = new Store(connection);
const app = { connection, store, history: new History(store), why, tell };

const place = document.getElementById("view");
const state = document.getElementById("state");
const problem = document.getElementById("problem");

/** Shows the sentence of a failure that belongs to no control. */
async function tell(promise) {
  try {
    await promise;
    problem.hidden = true;
  } catch (err) {
    problem.hidden = false;
    write(problem, err.message);
  }
}

// Why a device is away is known to the line only.
let reasons = new Map();

async function learn() {
  if (connection.state !== "ready") return;
  try {
    const { lines } = await connection.call("devhost/line");
    reasons = new Map(
      lines.flatMap((l) => l.devices.filter((d) => !d.online).map((d) => [d.name, l.down || d.reason])),
    );
  } catch (err) {
    reasons = new Map([["", err.message]]);
  }
}

function why(root) {
  if (connection.state !== "ready") return "the host is not connected.";
  const reason = reasons.get(root.name) ?? reasons.get("");
  return reason ? `${reason.replace(/\.$/, "")}.` : "SolarHub is not connected to the host.";
}

setInterval(learn, 2000);

let view;

function route() {
  const [, name] = location.hash.split("/");
  const chosen = VIEWS[name] ? name : "today";
  view?.leave?.();
  view = VIEWS[chosen](app);
  place.replaceChildren(view);
  for (const link of document.querySelectorAll("#views a")) {
    const here = link.getAttribute("href") === `#/${chosen}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = document.querySelector(`#views a[href="#/${chosen}"]`).textContent;
  document.title = `${title} · SolarHub`;
  scrollTo(0, 0);
}

addEventListener("hashchange", () => {
  if (!takeToken()) {
    route();
    place.focus({ preventScroll: true });
  }
});

// The fragment says which view is shown: the link past the top must not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  place.focus();
});

/** Takes the token out of the address, so that it does not stay there. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return false;
  sessionStorage.setItem(KEEP, given);
  history.replaceState(null, "", location.pathname);
  connection.open(given);
  return true;
}

function ask(why) {
  const box = h("input", { type: "password", autocomplete: "off", required: true, "aria-label": "Token" });
  const form = h(
    "form",
    { class: "card ask" },
    h("h2", { text: "This host asks for a token" }),
    h("p", { text: `${why}. The demo prints an address with the token in it.` }),
    box,
    h("button", { class: "main", text: "Connect" }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEEP, box.value);
    location.reload();
  });
  place.replaceChildren(form);
  box.focus();
}

const told = { connecting: "connecting …", ready: "connected", refused: "token refused" };

connection.addEventListener("state", ({ detail }) => {
  state.dataset.state = connection.state;
  write(state, told[connection.state]);
  document.body.classList.toggle("lost", connection.state !== "ready");
  if (connection.state === "refused") {
    sessionStorage.removeItem(KEEP);
    ask(detail);
  } else if (connection.state === "ready") {
    learn();
  } else {
    say("The connection to the host is lost.");
  }
});

store.addEventListener("shape", () => {
  document.body.dataset.loaded = store.loaded;
});

route();
if (!takeToken()) connection.open(sessionStorage.getItem(KEEP));
