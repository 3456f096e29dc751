// Uses the library of every card and dashboard against the host that the arguments name: it connects, subscribes, acts,
// is refused, and carries on after the host was restarted. It prints a line for each thing it sees, and waits where the
// test has to do something.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { createInterface } from "node:readline";

const [modules, url, tag] = process.argv.slice(2);
const require = createRequire(pathToFileURL(modules + "/"));
globalThis.WebSocket = require("ws");
const ha = require("home-assistant-js-websocket");

const say = (what, value) => console.log(JSON.stringify([what, value]).replaceAll(tag, "TAG"));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const plain = `number.bench_${tag}_plain`, limit = `number.bench_${tag}_limit`;
const auth = ha.createLongLivedTokenAuth(url, process.env.TOKEN);
const connection = await ha.createConnection({ auth });
say("connected", connection.haVersion);

let entities, changed = () => {};
ha.subscribeEntities(connection, (all) => { entities = all; changed(); });
const shows = (id, state) => new Promise((done) => {
  changed = () => { if (entities?.[id]?.state === state) done(); };
  changed();
});
const first = (subscribe) => new Promise((done) => subscribe(connection, done));

await shows(plain, "2.5");
say("entity", entities[plain].attributes);
const config = await first(ha.subscribeConfig);
say("config", [config.state, config.components.includes("solarhub")]);

const set = (value, id = plain) => ha.callService(connection, "number", "set_value", { value }, { entity_id: id });
say("action answers", Object.keys(await set(4)));
await shows(plain, "4");
say("state", [entities[plain].state, entities[plain].context.user_id !== null]);
const reply = await ha.callService(connection, "solarhub", "read_value", { entity_id: plain }, undefined, true);
say("response", reply.response);
await set(99).catch((e) => say("refused by the host", e.code));
await set(13, limit).catch((e) => say("refused by the plugin", [e.code, e.translation_key, e.message]));
await connection.sendMessagePromise({ type: "nosuch" }).catch((e) => say("unknown command", e.code));
const events = [];
const stop = await connection.subscribeEvents((e) => events.push(e.data.entity_id), "state_changed");
await set(6);
await connection.ping();
await stop();
const heard = events.length;
await set(4);
await connection.ping();
say("events", events.includes(plain) && events.length === heard);

const gone = new Promise((done) => connection.addEventListener("disconnected", done));
const back = new Promise((done) => connection.addEventListener("ready", done));
say("restart", null);
await gone;
say("disconnected", connection.connected);
await lines.next(); // the host is there again, and so is the plugin
await back;
say("connected again", connection.connected);
await shows(plain, "2.5");
await set(7);
await shows(plain, "7");
say("the subscription lives", entities[plain].state);
connection.close();
process.exit(0);
