package profile

// Sungrow's manager counts at the grid alone; the inverters behind it count their batteries.
func init() {
	uncounted["sungrow_ihomemanager"] = []string{"battery_energy_charged", "battery_energy_discharged"}
}
