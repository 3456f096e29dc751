// What the host knows: states as subscribe_entities tells them, with what the registries say of each entity.

const FLUSH = 100; // ms between two tellings: nobody reads faster, and thousands of entities cost little so

export class Store extends EventTarget {
  entities = new Map(); // entity_id -> entity
  roots = []; // devices that are no part of another: {id, device, name, parts}
  loaded = false; // registries and states are there
  #connection;
  #registry = new Map();
  #devices = new Map();
  #changed = new Set();
  #timer;
  #states = false;

  constructor(connection) {
    super();
    this.#connection = connection;
    connection.subscribe("subscribe_entities", {}, (event) => this.#take(event));
    for (const kind of ["entity", "device"]) {
      connection.subscribe("subscribe_events", { event_type: `${kind}_registry_updated` }, () => this.#soon());
    }
    connection.addEventListener("state", () => {
      if (connection.state === "ready") this.#describe();
      else this.#states = false;
    });
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#describe(), 150);
  }

  async #describe() {
    try {
      const [entities, display, devices] = await Promise.all([
        this.#connection.call("config/entity_registry/list"),
        this.#connection.call("config/entity_registry/list_for_display"),
        this.#connection.call("config/device_registry/list"),
      ]);
      const precision = new Map(display.entities.map((e) => [e.ei, e.dp]));
      this.#registry = new Map(
        entities.map((e, order) => [e.entity_id, { ...e, order, precision: precision.get(e.entity_id) }]),
      );
      this.#devices = new Map(devices.map((d) => [d.id, d]));
    } catch {
      return; // the connection broke, and the next one describes everything again
    }
    this.#join();
  }

  /** Joins registries and states, and tells that the shape of all may be another. */
  #join() {
    for (const e of this.entities.values()) this.#describeOne(e);
    this.roots = [...this.#devices.values()]
      .filter((d) => !d.via_device_id)
      .map((device) => ({
        id: device.id,
        device,
        name: device.name_by_user || device.name,
        parts: [...this.#devices.values()].filter((d) => d.via_device_id === device.id),
      }))
      .sort((a, b) => a.name.localeCompare(b.name));
    this.loaded = this.#states && this.#registry.size > 0;
    this.#tell("shape");
  }

  #describeOne(e) {
    e.registry = this.#registry.get(e.id);
    e.device = this.#devices.get(e.registry?.device_id);
    e.root = e.device?.via_device_id ? this.#devices.get(e.device.via_device_id) : e.device;
    const address = e.device?.identifiers?.[0]?.[1] ?? "";
    e.part = address.includes("/") ? address.slice(address.indexOf("/") + 1) : "";
    const id = e.registry?.unique_id ?? "",
      device = address.split("/")[0];
    e.key = id.startsWith(`${device}_`) ? id.slice(device.length + 1) : id; // of the register, the same for ever
    const own = e.registry?.name || e.registry?.original_name || e.attributes.friendly_name || e.id;
    e.name = own;
    e.partName = e.part && e.device ? e.device.name.replace(`${e.root?.name ?? ""} `, "") : "";
    e.label = e.partName ? `${e.partName} ${own[0].toLowerCase()}${own.slice(1)}` : own;
    e.full = e.root ? `${e.root.name_by_user || e.root.name}: ${e.label}` : own;
    e.category = e.registry?.entity_category ?? "";
    e.precision = e.registry?.precision;
  }

  #take({ a = {}, c = {}, r = [] }) {
    let shape = false;
    if (!this.#states) {
      // the first telling of a connection is all there is
      for (const id of this.entities.keys()) if (!a[id]) this.entities.delete(id);
      this.#states = shape = true;
    }
    for (const [id, s] of Object.entries(a)) {
      const known = this.entities.get(id);
      const e = known ?? { id, domain: id.split(".")[0] };
      Object.assign(e, { state: s.s, attributes: s.a ?? {}, changed: 1000 * s.lc, updated: 1000 * (s.lu ?? s.lc) });
      if (!known) {
        this.entities.set(id, e);
        this.#describeOne(e);
        shape = true;
      }
      this.#changed.add(id);
    }
    for (const [id, { "+": plus = {}, "-": minus = {} }] of Object.entries(c)) {
      const e = this.entities.get(id);
      if (!e) continue;
      if (plus.s !== undefined) e.state = plus.s;
      if (plus.lc !== undefined) e.changed = e.updated = 1000 * plus.lc;
      if (plus.lu !== undefined) e.updated = 1000 * plus.lu;
      if (plus.a || minus.a) {
        e.attributes = { ...e.attributes, ...plus.a };
        for (const name of minus.a ?? []) delete e.attributes[name];
      }
      this.#changed.add(id);
    }
    for (const id of r) {
      this.entities.delete(id);
      shape = true;
    }
    if (shape && this.#registry.size) this.#join();
    if (shape) this.#soon();
    this.#later();
  }

  #flushing;

  #later() {
    this.#flushing ??= setTimeout(() => {
      this.#flushing = undefined;
      const changed = this.#changed;
      this.#changed = new Set();
      this.#tell("change", changed);
    }, FLUSH);
  }

  /** Tells what has changed at once: a person waits for it. */
  flush() {
    clearTimeout(this.#flushing);
    this.#flushing = undefined;
    const changed = this.#changed;
    this.#changed = new Set();
    this.#tell("change", changed);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** Entities of SolarHub, in the order of their definitions. */
  ours() {
    return [...this.entities.values()].filter((e) => e.device).sort((a, b) => a.registry.order - b.registry.order);
  }

  /** Finds an entity by its unique id. */
  byUnique(id) {
    for (const [entity, r] of this.#registry)
      if (r.unique_id === id) return this.entities.get(entity) ?? { id: entity, full: entity };
    return undefined;
  }
}

export const off = (e) => e.state === "unavailable";
export const settable = (e) => ["number", "select", "switch", "time", "text"].includes(e.domain);

/** A text that stands for a time of day of the same register, for scenes. */
export const twin = (e) => e.domain === "text" && /_text$/.test(e.key ?? "");
