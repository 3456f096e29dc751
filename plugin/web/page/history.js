// The powers of the last hours, as long as the page has been open.

import { roles, sum } from "./roles.js";

const KEPT = 6 * 3600e3; // ms that it goes back at most
const EVERY = 1000; // ms between two points
const MOST = 4000; // points; beyond, the old ones thin out

export class History {
  points = []; // {t, solar, battery, grid, home}
  #store;
  #roles;

  constructor(store) {
    this.#store = store;
    store.addEventListener("shape", () => {
      this.#roles = roles(store);
    });
    setInterval(() => this.#note(), EVERY);
  }

  get roles() {
    return (this.#roles ??= roles(this.#store));
  }

  #note() {
    if (!this.#store.loaded) return;
    const r = this.roles;
    const p = { t: Date.now(), solar: sum(r.solar), battery: sum(r.battery), grid: sum(r.grid), home: sum(r.home) };
    if (![p.solar, p.battery, p.grid, p.home].some(Number.isFinite)) return;
    this.points.push(p);
    if (this.points.length > MOST) this.points = this.points.filter((_, i) => i % 2 || i > (3 * MOST) / 4);
    while (this.points[0].t < p.t - KEPT) this.points.shift();
  }
}
