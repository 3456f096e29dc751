// Which entities a house's powers and energies are made of. They are found by the keys of their registers, which never
// change. Their names are for people, and may.

import { off } from "./store.js";

export const SERIES = [
  ["solar", "Solar"],
  ["home", "Home"],
  ["battery", "Battery"],
  ["grid", "Grid"],
];

/** The keys that each device family has for a quantity. */
const KEYS = {
  solar: /^pv\d+_power_w$/, // one for each string
  battery: /^battery_power_w$/,
  home: /^(load_power_w|phase_r_watt_of_load)$/,
  grid: /^(grid_power_w|phase_r_watt_of_grid)$/,
  meter: /^power_w$/,
  charge: /^battery_soc_pct$/,
  made: /^(pv_energy_today_kwh|today_energy)$/,
  used: /^(load_energy_today_kwh|today_load_energy)$/,
  imported: /^(grid_import_energy_today_kwh|today_import_energy)$/,
  exported: /^(grid_export_energy_today_kwh|today_export_energy)$/,
};

/** Finds the entities of each quantity. A meter where the grid comes in knows more than the inverters. */
export function roles(store) {
  const sensors = store.ours().filter((e) => e.domain === "sensor");
  const found = Object.fromEntries(
    Object.entries(KEYS).map(([role, key]) => [role, sensors.filter((e) => key.test(e.key))]),
  );
  if (found.meter.length) found.grid = found.meter;
  return found;
}

const value = (e) => (off(e) || e.state === "unknown" ? NaN : Number(e.state));

/** Adds up; a sum of which one part is not known is not known. */
export const sum = (list) => (list.length ? list.map(value).reduce((a, b) => a + b, 0) : NaN);
