package profile

import "strings"

// spoilt are bad profiles; what is found in each stands in testdata/findings.golden.
var spoilt = []struct{ name, yaml string }{
	{"unknown key", replace("manufacturer: Good", `manufacturer: Good
maker: Good`)},
	{"duplicate key", replace("manufacturer: Good", `manufacturer: Good
name: Other`)},
	{"id is not the file's name", replace("profile: good", "profile: Other")},
	{"missing head", `name: X`},
	{"empty", ``},
	{"not a mapping", `[1]`},
	{"bad source name", replace(`log: "a log"`, `Log: "a log"`)},
	{"serial setting", replace("9600 8N1", "9600 7N1")},
	{"baud", replace("9600 8N1", "9601 8N1")},
	{"hole", replace("700..709", "709..700")},
	{"hole table", replace("holding 700..709", "holdings 700")},
	{"max registers", replace("max_registers: 20", "max_registers: 126")},
	{"line without source", replace(`  source: paper
identify`, "identify")},
	{"line source", replace(`  source: paper
identify`, `  source: paper, rumour
identify`)},
	{"durations", replace("max_registers: 20", `max_registers: 20
  gap: 10s
  timeout: 1ms`)},
	{"settings", replace("max_registers: 20", `max_registers: 0
  first_timeout: 31s
  busy_retries: 11
  busy_wait: 0s
  quiet: 500ms
  join_writes: yes
  connect_delay: -1s
  transaction_ids: loose
  unit_ids: any
  echo: true
  latency_timer: 1ms
  write_wait: 100ms`)},
	{"first timeout below timeout", replace("max_registers: 20", `first_timeout: 2s
  timeout: 3s`)},
	{"parity", replace("9600 8N1", "9600 8M1")},
	{"flash of a button", point("key: extra, name: Extra, at: 1, platform: button, press: 1, write: {flash: true}")},
	{"flash is a word", point("key: extra, name: Extra, at: 1, options: {0: A}, write: {flash: eeprom}")},
	{"part name", replace("battery: Battery}", "battery: BAT}")},
	{"trait without a source of words", replace("{at: 0, values: {lv: 5, hv: 6}}", "{otherwise: lv}")},
	{"trait without words", replace("values: {lv: 5, hv: 6}", "mask: 0x000F")},
	{"trait of one number twice", replace("{lv: 5, hv: 6}", "{lv: [5, 7..9], hv: [6, 8]}")},
	{"word of the format", replace("{lv: 5, hv: 6}", "{lv: 5, hv: 6, on: 7}")},
	{"trait is a text", replace("{at: 0, values: {lv: 5, hv: 6}}",
		"{at: 0, type: text, length: 2, values: {lv: 5, hv: 6}}")},
	{"choice without a question", replace("{at: 0, values: {lv: 5, hv: 6}}", "{choice: {lv: Low, hv: High}}")},
	{"serial is a number", replace("{at: 3, type: text, length: 5}", "{at: 3, type: u32}")},
	{"writable and nothing to recognise",
		strings.NewReplacer("  serial: {at: 3, type: text, length: 5}\n", "",
			"hv: 6}", "hv: 6}, otherwise: lv").Replace(good)},
	{"key form", point("key: Bad, name: Extra, at: 1")},
	{"key taken", point("key: mode, name: Extra, at: 1")},
	{"name taken", point("key: extra, name: Voltage, part: battery, at: 1")},
	{"nothing of a point", point("type: u16")},
	{"title case", point("key: extra, name: Battery Voltage, at: 1")},
	{"small", point("key: extra, name: extra, at: 1")},
	{"long", point("key: extra, name: Extraordinarily long name of a simple point, at: 1")},
	{"jargon", point("key: extra, name: Max EOD SOC, at: 1")},
	{"part's name", point("key: extra, name: Battery power, part: battery, at: 1")},
	{"unknown part", point("key: extra, name: Extra, part: garage, at: 1")},
	{"unknown point key", point("key: extra, name: Extra, at: 1, clas: power")},
	{"unknown word", point("key: extra, name: Extra, at: 1, when: kind = lv|mv")},
	{"variant missing", point("key: extra, name: Extra, at: 1, scale: {lv: 0.1}")},
	{"variant unknown", point("key: extra, name: Extra, at: 1, scale: {lv: 0.1, hv: 1, mv: 2}")},
	{"address", point("key: extra, name: Extra, at: 65536")},
	{"octal address", point("key: extra, name: Extra, at: 010")},
	{"behind the end", point("key: extra, name: Extra, at: 65535, type: u32")},
	{"table", point("key: extra, name: Extra, at: register 5")},
	{"in a hole", point("key: extra, name: Extra, at: 699, type: u32")},
	{"too long", point("key: extra, name: Extra, at: 800, type: text, length: 21")},
	{"apart overlap", point("key: extra, name: Extra, at: [800, 800], type: u32")},
	{"apart adjacent", point("key: extra, name: Extra, at: [800, 801], type: u32")},
	{"apart uneven", point("key: extra, name: Extra, at: [800, 810, 820], type: u32")},
	{"apart tables", point("key: extra, name: Extra, at: [800, input 810], type: u32")},
	{"at mapping", point("key: extra, name: Extra, at: {a: 1}")},
	{"type", point("key: extra, name: Extra, at: 1, type: int16")},
	{"mask on float", point("key: extra, name: Extra, at: 1, type: f32, mask: 1")},
	{"mask too wide", point("key: extra, name: Extra, at: 1, mask: 0x10000")},
	{"mask with a gap", point("key: extra, name: Extra, at: 1, mask: 0x0005")},
	{"text without length", point("key: extra, name: Extra, at: 1, type: text")},
	{"length without text", point("key: extra, name: Extra, at: 1, length: 2")},
	{"text with scale and options",
		point("key: extra, name: Extra, at: 1, type: text, length: 2, scale: 0.1, options: {1: A}")},
	{"two forms", point("key: extra, name: Extra, at: 1, options: {1: A}, time: packed")},
	{"option does not fit", point("key: extra, name: Extra, at: 1, options: {65536: A, -1: B}")},
	{"option does not fit mask", point("key: extra, name: Extra, at: 1, mask: 0x00F0, options: {16: A}")},
	{"option twice", point("key: extra, name: Extra, at: 1, options: {1: {a: A}, 2: {a: B}}")},
	{"raw number twice", point("key: extra, name: Extra, at: 1, options: {1: A, 0x1: B}")},
	{"no option", point("key: extra, name: Extra, at: 1, options: {}")},
	{"options on float", point("key: extra, name: Extra, at: 1, type: f32, options: {1: A}")},
	{"options with unit", point("key: extra, name: Extra, at: 1, options: {1: A}, unit: W, class: power, scale: 2")},
	{"bit does not fit", point("key: extra, name: Extra, at: 1, bits: {16: A}")},
	{"on is off", point("key: extra, name: Extra, at: 1, bool: {on: 1, off: 1}")},
	{"on only", point("key: extra, name: Extra, at: 1, bool: {on: 1}")},
	{"on does not fit", point("key: extra, name: Extra, at: 1, mask: 1, bool: {on: 2, off: 0}")},
	{"time of two words", point("key: extra, name: Extra, at: 1, type: u32, time: packed")},
	{"scale 0", point("key: extra, name: Extra, at: 1, scale: 0")},
	{"no value", point("key: extra, name: Extra, at: 1, no_value: [0xFFFF, 65536]")},
	{"coil with scale", point("key: extra, name: Extra, at: coil 1, scale: 0.1")},
	{"class", point("key: extra, name: Extra, at: 1, unit: W, class: powers")},
	{"unit of class", point("key: extra, name: Extra, at: 1, unit: kW, class: energy")},
	{"unit without class", point("key: extra, name: Extra, at: 1, unit: kWh")},
	{"class of a switch", point("key: extra, name: Extra, at: 1, bool: {on: 1, off: 0}, class: power, write: {}")},
	{"state of class", point("key: extra, name: Extra, at: 1, unit: W, class: power, state: total")},
	{"state of a number", point("key: extra, name: Extra, at: 1, unit: W, class: power, state: measurement, write: " +
		"{min: 0, max: 9}, source: paper")},
	{"signed counter", point("key: extra, name: Extra, at: 1, type: s32, unit: kWh, class: energy")},
	{"category", point("key: extra, name: Extra, at: 1, category: config")},
	{"icon", point("key: extra, name: Extra, at: 1, icon: battery")},
	{"mode", point("key: extra, name: Extra, at: 1, mode: box")},
	{"show is no bool", point("key: extra, name: Extra, at: 1, show: yes")},
	{"precision", point("key: extra, name: Extra, at: 1, precision: 7")},
	{"source", point(`key: extra, name: Extra, at: 1, source: "paper, rumour (the lower), log"`)},
	{"no source", replace(`, source: paper}
points`, `}
points`)},
	{"number without limits", point("key: extra, name: Extra, at: 1, write: {}, source: paper")},
	{"number without source", point("key: extra, name: Extra, at: 1, write: {min: 0, max: 9}")},
	{"limits in one variant", point("key: extra, name: Extra, at: 1, write: {min: 0, max: {lv: 9}}, source: paper")},
	{"limits off the grid", point("key: extra, name: Extra, at: 1, scale: 10, write: {min: 5, max: 101, step: 3}, " +
		"source: paper")},
	{"limits outside the type",
		point("key: extra, name: Extra, at: 1, scale: 0.01, write: {min: -1, max: 655.36}, source: paper")},
	{"limits outside the mask",
		point("key: extra, name: Extra, at: 1, mask: 0x000F, write: {min: 0, max: 16}, source: paper")},
	{"limits with offset", point("key: extra, name: Extra, at: 1, offset: -100, write: {min: -101, max: 0}, source: " +
		"paper")},
	{"limits swapped", point("key: extra, name: Extra, at: 1, write: {min: 9, max: 0, step: 0}, source: paper")},
	{"step does not reach", point("key: extra, name: Extra, at: 1, write: {min: 0, max: 9, step: 2}, source: paper")},
	{"float without step", point("key: extra, name: Extra, at: 1, type: f32, write: {min: 0, max: 9}, source: paper")},
	{"limits of one variant", point("key: extra, name: Extra, at: 1, scale: {lv: 1, hv: 10}, write: {min: 0, max: " +
		"105}, source: paper")},
	{"limits of options", point("key: extra, name: Extra, at: 1, options: {1: A}, write: {min: 0}")},
	{"write input", point("key: extra, name: Extra, at: input 1, options: {1: A}, write: {}")},
	{"write discrete", point("key: extra, name: Extra, at: discrete 1, write: {}")},
	{"write apart",
		point("key: extra, name: Extra, at: [800, 810], type: u32, write: {min: 0, max: 9}, source: paper")},
	{"write bits", point("key: extra, name: Extra, at: 1, bits: {0: A}, write: {}")},
	{"function 6 for two words",
		point("key: extra, name: Extra, at: 1, type: u32, write: {min: 0, max: 9, with: single}, source: paper")},
	{"armed and shown", point("key: extra, name: Extra, at: 1, options: {1: A}, show: true, write: {arm: true}")},
	{"write is nothing", point("key: extra, name: Extra, at: 1, options: {1: A}, write:")},
	{"unknown write key", point("key: extra, name: Extra, at: 1, options: {1: A}, write: {armed: true}")},
	{"readback of a select", point("key: extra, name: Extra, at: 1, options: {1: A}, write: {readback: false}")},
	{"overlap", point("key: extra, name: Extra, at: 108")},
	{"overlap under masks", point("key: extra, name: Extra, at: 150, mask: 0x0002, bool: {on: 1, off: 0}")},
	{"button without press", point("key: extra, name: Extra, at: 1, platform: button")},
	{"press without button", point("key: extra, name: Extra, at: 1, press: 1")},
	{"platform", point("key: extra, name: Extra, at: 1, platform: sensor, press: 1")},
	{"button with a value", point("key: extra, name: Extra, at: 1, platform: button, press: 70000, unit: W, write: " +
		"{min: 0}")},
	{"button in input", point("key: extra, name: Extra, at: input 1, platform: button, press: 1")},
	{"button of a float", point("key: extra, name: Extra, at: 1, type: f32, platform: button, press: 1")},
	{"button of a coil", point("key: extra, name: Extra, at: coil 1, platform: button, press: 2")},
	{"coils apart", point("key: extra, name: Extra, at: [coil 1, coil 3]")},
	{"empty option", point(`key: extra, name: Extra, at: 1, options: {1: ""}`)},
	{"mask of nothing", point("key: extra, name: Extra, at: 1, mask: 0")},
	{"long text written", replace("max_registers: 20", "max_registers: 125") +
		"- {key: extra, name: Extra, at: 800, type: text, length: 124, write: {}}\n"},
	{"part's key", replace("parts: {battery: Battery}", "parts: {Battery: Battery}")},
	{"no points", good[:len(good)-len(pointsOfGood())] + "points: []\n"},
	{"twice spoilt", replace("name: Voltage", "name: SOC") + "- {key: Extra, name: Extra}\n"},
}

func pointsOfGood() string { return good[strings.Index(good, "points:"):] }
