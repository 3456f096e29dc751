// What a person sees, in headless Chromium: a value that is refused must not stay standing in its control.
//
//   node browser.mjs COMMAND [ARG...]     the command is a plugin that refuses everything: python refusing.py
//   node browser.mjs REQUEST.json         such a plugin runs already
//
// Prints one line of JSON for each control and ends with 1 if one shows what is not true, or if a state changed.
// PLAYWRIGHT is a folder in which npm has installed playwright-core, here unless set. HASS_URL names the core; HASS_USER and HASS_PASSWORD a person
// ("owner" and "owner" unless set), because a browser with a long-lived token counts as a program. CHROMIUM is the
// browser, /usr/bin/chromium unless set; SHOTS a folder for
// pictures. The request, a file or the first line that the command prints:
//
//   {"number_box": "number.a", "number_slider": "number.b", "select": "select.c", "option": "another",
//    "text": "text.d", "text_typed": "23:59", "time": "time.e", "switch": "switch.f", "typed": "13", "beyond": "99999"}
//
// Every key but typed may be missing. The plugin must refuse whatever it is asked for while this runs; "beyond" is a
// number that Home Assistant itself refuses.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { PLAYWRIGHT = process.cwd() } = process.env;
const { chromium } = createRequire(join(PLAYWRIGHT, "here.js"))("playwright-core");
const { HASS_URL, HASS_USER = "owner", HASS_PASSWORD = "owner", CHROMIUM = "/usr/bin/chromium" } = process.env;
const { SHOTS } = process.env;
const [command, ...args] = process.argv.slice(2);
const plugin = command.endsWith(".json") ? null : spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const lines = plugin && createInterface({ input: plugin.stdout })[Symbol.asyncIterator]();
const request = JSON.parse(plugin ? (await lines.next()).value : readFileSync(command, "utf8"));
const client = `${HASS_URL}/`;
const BOARD = "solarhub-refused";

async function post(path, body) {
  const form = body instanceof URLSearchParams;
  const reply = await fetch(HASS_URL + path, {
    method: "POST",
    body: form ? body : JSON.stringify(body),
    headers: form ? {} : { "content-type": "application/json" },
  });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}

// Logs in as the form of the login page does.
async function login() {
  const flow = await post("/auth/login_flow", { client_id: client, handler: ["homeassistant", null], redirect_uri: client });
  const done = await post(`/auth/login_flow/${flow.flow_id}`, {
    client_id: client, username: HASS_USER, password: HASS_PASSWORD,
  });
  const code = { grant_type: "authorization_code", code: done.result, client_id: client };
  const tokens = await post("/auth/token", new URLSearchParams(code));
  return { ...tokens, hassUrl: HASS_URL, clientId: client, expires: Date.now() + tokens.expires_in * 1000 };
}

const rows = ["number_box", "number_slider", "select", "text", "time", "switch"].map((k) => request[k]).filter(Boolean);

function board() {
  const cards = [{ type: "entities", title: "Settings", entities: rows }];
  if (request.number_slider) {
    cards.push({ type: "tile", entity: request.number_slider, features: [{ type: "numeric-input", style: "slider" }] });
  }
  if (request.number_box) {
    cards.push({ type: "tile", entity: request.number_box, features: [{ type: "numeric-input", style: "buttons" }] });
  }
  if (request.select) cards.push({ type: "tile", entity: request.select, features: [{ type: "select-options" }] });
  return { title: "Refused", views: [{ path: "0", title: "Refused", cards }] };
}

const tokens = await login();
const profile = await mkdtemp(join(tmpdir(), "refused-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: CHROMIUM,
  headless: true,
  viewport: { width: 1200, height: 900 },
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
let failed = false;

// What the controls inside a locator show, as one text: inputs, sliders, switches and the words.
async function shown(locator) {
  return locator.evaluate((root) => {
    const found = [];
    const words = (element) => element.shadowRoot?.querySelector(".value, .label, .content")?.textContent.trim() ?? "";
    const walk = (node) => {
      for (const element of node.querySelectorAll?.("*") ?? []) {
        if (element.localName === "input") found.push(element.type === "checkbox" ? element.checked : element.value);
        const at = element.getAttribute("aria-valuenow") ?? element.getAttribute("aria-checked");
        if (at !== null) found.push(at);
        if (/^ha-(slider|select|control-slider|control-number-buttons|control-select-menu)$/.test(element.localName)) {
          found.push(element.value, element.localName === "ha-control-select-menu" ? words(element) : "");
        }
        if (element.shadowRoot) walk(element.shadowRoot);
      }
    };
    walk(root);
    if (root.shadowRoot) walk(root.shadowRoot);
    return found.filter((text) => text !== "").join(" | ");
  });
}

const fill = (text, nth = 0) => async (place, page) => {
  const input = place.locator("input").nth(nth);
  await input.fill(text);
  await input.press("Enter");
  await input.blur();
};
const slide = (tag) => async (place, page) => {
  const box = await place.locator(tag).first().boundingBox();
  await page.mouse.click(box.x + box.width * 0.9, box.y + box.height / 2);
};
const choose = (tag, option) => async (place, page) => {
  await place.locator(tag).first().click();
  await page.locator("ha-dropdown-item:visible").filter({ hasText: option }).first().click();
};
const press = (selector) => (place) => place.locator(selector).first().click();

// Every control: its name, where it is, what a person does, and the entity whose dialog it is in.
function controls(page) {
  const row = (kind, nth = 0) => page.locator(`hui-entities-card hui-${kind}-entity-row`).nth(nth);
  const tile = (entity) => page.locator("hui-tile-card").nth([request.number_slider, request.number_box, request.select]
    .filter(Boolean).indexOf(entity));
  const { typed, beyond, option } = request;
  const dialog = page.locator("ha-more-info-dialog");
  return [
    request.number_box && ["number box", row("number"), fill(typed)],
    request.number_box && beyond && ["number box, beyond its range", row("number"), fill(beyond)],
    request.number_slider && ["number slider", row("number", request.number_box ? 1 : 0), slide("ha-slider")],
    request.select && ["select", row("select"), choose("ha-select", option)],
    request.text && ["text", row("text"), fill(request.text_typed)],
    request.time && ["time", row("time"), fill("07", 1)],
    request.switch && ["switch", row("toggle"), press("ha-switch")],
    request.number_slider && ["tile slider", tile(request.number_slider), slide("ha-control-slider")],
    request.number_box && ["tile buttons", tile(request.number_box), press("[aria-label=increment], .button.plus, button:last-of-type")],
    request.select && ["tile select", tile(request.select), choose("ha-control-select-menu", option)],
    request.number_box && ["dialog, number box", dialog, fill(typed), request.number_box],
    request.number_slider && ["dialog, number slider", dialog, slide("ha-slider"), request.number_slider],
    request.select && ["dialog, select", dialog, choose("ha-control-select-menu", option), request.select],
    request.text && ["dialog, text", dialog, fill(request.text_typed), request.text],
    request.time && ["dialog, time", dialog, fill("07", 1), request.time],
  ].filter(Boolean);
}

// Opens or closes the dialog of an entity, as a click on its name does.
async function dialog(page, entityId) {
  await page.evaluate((id) => document.querySelector("home-assistant").dispatchEvent(
    new CustomEvent("hass-more-info", { detail: { entityId: id }, bubbles: true, composed: true })), entityId ?? null);
  await page.waitForTimeout(1500);
}

// Does what a person would, and reports whether the control shows the truth again.
async function tryOut(page, name, place, act) {
  const before = await shown(place), own = /^(tile|dialog,) select$/.test(name);
  const began = Date.now();
  await act(place, page);
  let touched = before, now = before, seconds = null;
  for (let i = 0; i < 80; i++) {
    now = await shown(place);
    if (now !== before) {
      touched = now;
  seconds = null;
    } else if (touched !== before && seconds === null) seconds = (Date.now() - began) / 1000;
    await page.waitForTimeout(50);
  }
  const ok = now === before && (touched !== before || own); // some show only what is true
  failed ||= !ok;
  console.log(JSON.stringify({ control: name, ok, before, touched, now, seconds }));
}

try {
  await context.addInitScript((t) => localStorage.setItem("hassTokens", t), JSON.stringify(tokens));
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(HASS_URL);
  await page.locator("home-assistant-main").waitFor();
  await page.evaluate(async ([path, config]) => {
    const { connection } = document.querySelector("home-assistant").hass;
    const boards = await connection.sendMessagePromise({ type: "lovelace/dashboards/list" });
    if (!boards.some((b) => b.url_path === path)) {
      await connection.sendMessagePromise({ type: "lovelace/dashboards/create", url_path: path, title: "Refused", mode: "storage" });
    }
    await connection.sendMessagePromise({ type: "lovelace/config/save", url_path: path, config });
  }, [BOARD, board()]);
  await page.goto(`${HASS_URL}/${BOARD}/0`);
  await page.locator("hui-entities-card").first().waitFor();
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(1500);
  for (const [name, place, act, entityId] of controls(page)) {
    if (entityId) await dialog(page, entityId);
    await tryOut(page, name, place, act);
    if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name.replaceAll(/[ ,]+/g, "_")}.png`) });
    if (entityId) await dialog(page, null);
  }
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}
if (plugin) {
  plugin.stdin.end();
  console.log((await lines.next()).value);
  const [code] = plugin.exitCode === null ? await once(plugin, "exit") : [plugin.exitCode];
  failed ||= code !== 0;
}
process.exitCode = failed ? 1 : 0;
