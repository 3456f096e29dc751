package doctor

import (
	"strings"
	"testing"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/protocol/codec"
)

func TestWhatADeviceHeldIsTold(t *testing.T) {
	family, err := profile.Get("deye")
	if err != nil {
		t.Fatal(err)
	}
	d := DeviceSymptoms{Config: config.DefaultDevice(family)}
	d.Config.Name = "Roof"
	d.Status.Identity = devices.Identity{Serial: "1", Traits: family.TraitsText(family.Cases()[0])}
	d.Learned.Held = map[string][]codec.Value{
		"battery_charge_current_max": {codec.Number(400)}, "work_mode": {codec.UnlistedOf(10)},
		"gone": {codec.Number(1)},
	}
	want := "Battery: Charge current limit of Roof was found to be 400 A; its limits are 0 to 350 A. It can be " +
		"written back. `points: {battery_charge_current_max: {max: 400}}` allows what lies between too.\n" +
		"Work mode of Roof was found to be 10 (unknown), which is none of its options. It can be written back."
	if got := strings.Join(d.Held(), "\n"); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}
