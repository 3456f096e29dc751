package plugin

import (
	"encoding/json"
	"strings"
	"testing"

	"solarhub/protocol"
	"solarhub/protocol/sim"
)

func TestDiagnostics(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 42)
	h.start()
	h.wait("battery_grid_charge_soc", "42")
	if err := h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), 43.0); err != nil {
		t.Fatal(err)
	}
	data, err := h.host().Diagnostics(h.ctx, "house")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{serialNumber, goodToken, "eyJ"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is in the diagnostics", secret)
		}
	}
	for _, want := range []string{`"version":"1.2.3"`, `"...345_battery_grid_charge_soc"`, `"outcome":"written"`,
		`"plan":["holding `, `"value":"43"`, `"Requests":`,
		`"advice":[]`, `"watched":"`, `"learned":{`, `"poll":{"Achieved":`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the diagnostics lack %s:\n%s", want, text)
		}
	}
	var bundle struct {
		Devices []struct {
			Registers string `json:"registers"`
		} `json:"devices"`
	}
	if err := json.Unmarshal(text, &bundle); err != nil {
		t.Fatal(err)
	}
	played := sim.NewUnit(1)
	if err := sim.LoadDump(strings.NewReader(bundle.Devices[0].Registers), played); err != nil {
		t.Fatalf("%v\n%s", err, bundle.Devices[0].Registers)
	}
	family := h.plugin.config.Lines[0].Devices[0].Profile
	id, kind := family.Identify, family.Traits[0].Field
	serial, _ := played.Get(protocol.HoldingRegister, id.Serial().Ranges[0].Addr, id.Serial().Ranges[0].Count)
	if got := id.Serial().Spec.Decode(serial).String(); got != "XXXXXXX345" {
		t.Errorf("the serial number of the registers is %q", got)
	}
	if words, ok := played.Get(protocol.HoldingRegister, chargeEnd, 1); !ok || words[0] != 43 {
		t.Errorf("the register holds %v", words)
	}
	if words, ok := played.Get(protocol.HoldingRegister, kind.Ranges[0].Addr, 1); !ok || words[0] != 1 {
		t.Errorf("the kind is %v", words)
	}
}
