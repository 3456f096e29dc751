package profile

import "testing"

func TestMaps(t *testing.T) {
	for _, id := range Names() {
		data, err := shipped.ReadFile("maps/" + id + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Load("maps/"+id+".yaml", data); err != nil {
			t.Errorf("%v", err)
		}
	}
}
