// Which entities a house's powers and energies are made of. They are found by the keys of their registers, which never
// change. Their names are for people, and may.

import { off } from "./store.js";

export const SERIES = [
  ["solar", "Solar"],
  ["home", "Home"],
  ["battery", "Battery"],
  ["grid", "Grid"],
];

/** The key of each role: the vocabulary has the same one for every family. */
const KEYS = {
  solar: /^pv_\d+_power$/, // one for each input
  battery: /^battery_power$/,
  home: /^load_power$/,
  grid: /^grid_power$/,
  meter: /^power$/,
  charge: /^battery_soc$/,
  made: /^pv_energy_today$/,
  used: /^load_energy_today$/,
  imported: /^grid_energy_import_today$/,
  exported: /^grid_energy_export_today$/,
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
