package main_test

// pageScript gives every document functions that see through shadow roots, of which the frontend has one in nearly
// every element, where document.querySelector and innerText see nothing.
//
// deep(selector, selector, ...) is the first visible element that fits the first selector, within it the first that
// fits the second, and so on; null if there is none. A selector may be a function that takes an element.
//
// deepText() is the visible text of the page, a line for each piece.
//
// logIn(token) makes a person with a password of its own and logs the browser in as the login page does; its promise is
// the person's id, which logOut(token, id) removes.
const pageScript = `
const shown = (node) => node.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
function* under(root) {
  for (const child of root.childNodes) {
    if (child instanceof Text) { yield child; continue; }
    if (!(child instanceof Element) || ["SCRIPT", "STYLE", "TEMPLATE"].includes(child.tagName)) continue;
    yield child;
    if (child.shadowRoot) yield* under(child.shadowRoot);
    yield* under(child);
  }
}
window.deep = (...selectors) => {
  let found = document;
  for (const selector of selectors) {
    const fits = typeof selector === "function" ? selector : (node) => node.matches(selector);
    const within = found.shadowRoot ? [found.shadowRoot, found] : [found];
    found = within.flatMap((root) => [...under(root)]).find(
      (node) => node instanceof Element && fits(node) && shown(node));
    if (!found) return null;
  }
  return found;
};
window.deepText = () => [...under(document)]
  .filter((node) => node instanceof Text && node.data.trim() && shown(node.parentElement ?? node.getRootNode().host))
  .map((node) => node.data.trim().replace(/\s+/g, " ")).join("\n");

// Sends messages one after the other over a connection of its own; a message may be a function of the last result.
async function ask(token, ...messages) {
  const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/api/websocket");
  const next = () => new Promise((done, fail) => {
    socket.onmessage = (event) => done(JSON.parse(event.data));
    socket.onclose = () => fail(new Error("Home Assistant closed the socket"));
  });
  const say = (message) => { socket.send(JSON.stringify(message)); return next(); };
  await next();
  const welcome = await say({ type: "auth", access_token: token });
  if (welcome.type !== "auth_ok") throw new Error(welcome.message);
  let result;
  for (const [i, message] of messages.entries()) {
    ({ result } = await say({ id: i + 1, ...(typeof message === "function" ? message(result) : message) }));
  }
  socket.close();
  return result;
}

async function post(path, body) {
  const reply = await fetch(path, { method: "POST", body });
  if (!reply.ok) throw new Error(path + ": " + reply.status);
  return reply.json();
}

async function logIn(token) {
  const username = "test-" + crypto.getRandomValues(new Uint32Array(2)).join("-"), password = username;
  let id;
  await ask(token,
    { type: "config/auth/create", name: "End-to-end test", group_ids: ["system-admin"], local_only: true },
    ({ user }) => ({ type: "config/auth_provider/homeassistant/create", user_id: id = user.id, username, password }));
  const client_id = location.origin + "/", redirect_uri = client_id, handler = ["homeassistant", null];
  const flow = await post("/auth/login_flow", JSON.stringify({ client_id, redirect_uri, handler }));
  const done = await post("/auth/login_flow/" + flow.flow_id, JSON.stringify({ client_id, username, password }));
  const form = new URLSearchParams({ grant_type: "authorization_code", code: done.result, client_id });
  const tokens = await post("/auth/token", form);
  const more = { hassUrl: location.origin, clientId: client_id, expires: Date.now() + tokens.expires_in * 1000 };
  localStorage.setItem("hassTokens", JSON.stringify({ ...tokens, ...more }));
  return id;
}
const logOut = (token, user_id) => ask(token, { type: "config/auth/delete", user_id });
`
