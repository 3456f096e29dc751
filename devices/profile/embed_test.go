package profile

import (
	"slices"
	"strings"
	"testing"
)

func TestAliases(t *testing.T) {
	for name, want := range map[string]string{"powdrive": "deye", "sunsynk": "deye", "deye": "deye"} {
		if p, err := Get(name); err != nil || p.ID != want {
			t.Errorf("%s is not %s: %v", name, want, err)
		}
	}
	profiles, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		for _, alias := range p.Aliases {
			if !slices.Contains(aliases()[alias], p.ID) {
				t.Errorf("the alias %s of %s is not found in its line", alias, p.ID)
			}
		}
	}
	if _, err := Get("deya"); err == nil {
		t.Error("an unknown family was found")
	}
}

// An owner knows the name on the device, not ours.
func TestUnknownFamilyLeadsToTheRightOne(t *testing.T) {
	for name, want := range map[string]string{
		"Sol-Ark":            "did you mean sol_ark?",
		"q.cells":            "did you mean qcells?",
		"huawei smartlogger": "did you mean huawei_smartlogger?",
		"deya":               "did you mean deye?",
		"bluesun":            "it may be afore",
		"giv":                "it may be givenergy or givenergy_battery",
		"MultiPlus":          "it may be victron_system or victron_vebus",
		"victron energy":     "or one of 16 more",
		"zq":                 "ends in .yaml",
	} {
		if _, err := Get(name); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, and not %s", name, err, want)
		}
	}
}

// The typical device is shared by all who ask for it.
func TestNamingTraitsLeavesTheTypicalDeviceAlone(t *testing.T) {
	p, err := Get("deye")
	if err != nil {
		t.Fatal(err)
	}
	if named, err := p.NamedTraits("hv"); err != nil || named["kind"] != "hv" {
		t.Errorf("got %v, %v", named, err)
	}
	if typical := p.Cases()[0]["kind"]; typical != "lv" {
		t.Errorf("the typical device has become %s", typical)
	}
}
