// A client of Home Assistant's WebSocket API: it keeps one connection up and renews what was subscribed to.

const FIRST_PAUSE = 250,
  LONGEST_PAUSE = 3000;

/** An error of a command: code and message are the host's. */
class Refused extends Error {
  constructor({ code, message }) {
    super(message.replace(/^Validation error: /, ""));
    this.code = code;
  }
}

const LOST = {
  code: "lost",
  message: "The connection to the host broke, so it is not known whether this was carried out.",
};

export class Connection extends EventTarget {
  #socket;
  #redial;
  #token;
  #id = 0;
  #pause = FIRST_PAUSE;
  #calls = new Map(); // id -> {resolve, reject}
  #listening = new Set(); // {type, data, heard, id}
  state = "connecting"; // connecting, ready, refused

  /** Connects with a token; the event "state" tells of each change. A connection that is open already is replaced. */
  open(token) {
    this.#token = token;
    this.#drop();
    if (this.state !== "connecting") this.#become("connecting");
    this.#dial();
  }

  /** Lets go of the socket: nothing that it still says or does has an effect. */
  #drop() {
    clearTimeout(this.#redial);
    if (this.#socket) {
      this.#socket.onmessage = this.#socket.onclose = null;
      this.#socket.close();
    }
    this.#reject();
  }

  #reject() {
    for (const { reject } of this.#calls.values()) reject(new Refused(LOST));
    this.#calls.clear();
  }

  #become(state, why) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: why }));
  }

  #dial() {
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/api/websocket");
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const parsed = JSON.parse(data);
      for (const message of Array.isArray(parsed) ? parsed : [parsed]) this.#take(message);
    };
    socket.onclose = () => this.#lost();
  }

  #lost() {
    this.#reject();
    if (this.state === "refused") return;
    this.#become("connecting");
    this.#redial = setTimeout(() => this.#dial(), this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  #take(message) {
    switch (message.type) {
      case "auth_required":
        this.#socket.send(JSON.stringify({ type: "auth", access_token: this.#token || "none" }));
        break;
      case "auth_invalid":
        this.#become("refused", message.message);
        break;
      case "auth_ok":
        this.#authenticated();
        break;
      case "event":
        for (const l of this.#listening) if (l.id === message.id) l.heard(message.event);
        break;
      case "result": {
        const call = this.#calls.get(message.id);
        this.#calls.delete(message.id);
        if (message.success) call?.resolve(message.result);
        else call?.reject(new Refused(message.error));
      }
    }
  }

  #authenticated() {
    this.#id = 0;
    this.#pause = FIRST_PAUSE;
    this.#send("supported_features", { features: { coalesce_messages: 1 } });
    for (const l of this.#listening) this.#listen(l);
    this.#become("ready");
  }

  #send(type, data) {
    const id = ++this.#id;
    const answer = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    answer.catch(() => {}); // whoever waits for it is told all the same
    this.#socket.send(JSON.stringify({ id, type, ...data }));
    return [id, answer];
  }

  /** Sends a command; resolves to its result or rejects with Refused. */
  async call(type, data) {
    if (this.state !== "ready") throw new Refused({ code: "lost", message: "The host is not connected." });
    return this.#send(type, data)[1];
  }

  /** Calls an action such as number.set_value for some entities. */
  action(name, data = {}, entities = []) {
    const [domain, service] = name.split(".");
    const target = entities.length ? { target: { entity_id: entities } } : {};
    return this.call("call_service", { domain, service, service_data: data, ...target });
  }

  #listen(l) {
    const [id, answer] = this.#send(l.type, l.data);
    l.id = id;
    answer.catch((err) => l.failed?.(err));
  }

  /** Subscribes, now and after each reconnection; returns a function that ends it. */
  subscribe(type, data, heard, failed) {
    const l = { type, data, heard, failed };
    this.#listening.add(l);
    if (this.state === "ready") this.#listen(l);
    return () => {
      this.#listening.delete(l);
      if (this.state === "ready" && l.id) this.#send("unsubscribe_events", { subscription: l.id });
    };
  }
}
