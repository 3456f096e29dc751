package profile

import (
	"os"
	"strings"
	"testing"

	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// example returns the profile that FORMAT.md shows.
func example(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	yaml, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("FORMAT.md has no example")
	}
	return yaml
}

func TestFormatExampleLoads(t *testing.T) {
	p, err := Load("example.yaml", []byte(example(t)))
	if err != nil {
		t.Fatal(err)
	}
	points, err := p.Resolve("lv")
	if err != nil {
		t.Fatal(err)
	}
	_ = points
	_ = protocol.Coil
	_ = codec.Text
}
