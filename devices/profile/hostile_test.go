package profile

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"solarhub/devices/profile/strict"
)

// repeated repeats a text, with its number in place of each %d.
func repeated(text string, times int) string {
	var b strings.Builder
	for i := range times {
		b.WriteString(strings.ReplaceAll(text, "%d", fmt.Sprint(i)))
	}
	return b.String()
}

// full repeats a text between others until the file is as large as may be.
func full(head, item, tail string) string {
	room := strict.MaxFile - len(head) - len(tail)
	return head + repeated(item, room/(len(item)+6*strings.Count(item, "%d"))) + tail
}

// A file of one megabyte that is made to cost time is told what is wrong with it, in a thousand findings at most.
func TestHostileProfiles(t *testing.T) {
	head, points, _ := strings.Cut(good, "  kind: {at: 0, values: {lv: 5, hv: 6}}\n")
	for name, text := range map[string]string{
		"unknown keys":           full("", "manufacturerx%d: 1\n", ""),
		"points of unknown keys": full("points:\n", "- {x%d: 1}\n", ""),
		"overlaps": full(good, "- {key: k%d, name: K%d, at: 1, write: {min: 0, max: 1}, source: log}\n",
			""),
		"places":  full(good+"- {key: k, name: K, at: [", "%d, ", "1]}\n"),
		"options": full(good+"- {key: k, name: K, at: 1, options: {", "%d: a%d, ", "}}\n"),
		"words":   full(head+"  kind: {at: 0, values: {", "v%d: %d, ", "}}\n"+points),
		"repetitions": full(good, "- group: {repeat: {n: 1..500, stride: 1}, points: [{group: {repeat: {m: 1..500, "+
			"stride: 2}, points: [{key: \"k%d_{n}_{m}\", name: \"K%d {n} {m}\", at: 1}]}}]}\n", ""),
		"sums": full(good, "- {key: s%d, name: S%d, value: \"sum(s{n}) + s1 * s2\"}\n", ""),
		"conditions": full(good, "- {key: c%d, name: C%d, at: 1, when: [kind = lv, kind = hv, kind = lv, "+
			"kind != hv]}\n", ""),
		"sources": full(strings.Replace(good, "sources: {", "sources: {xx, ", 1)+"- {source: ", "s%d, ",
			"x}\n"),
		"words and points": full(head+"  kind: {at: 0, values: {"+repeated("v%d: %d, ", 900)+"}}\n"+points,
			"- {key: key%d, name: K%d, at: %d}\n", ""),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load("good.yaml", []byte(text))
			var found strict.Findings
			if !errors.As(err, &found) || len(found) > 1001 {
				t.Errorf("%d findings, %.200v", len(found), err)
			}
		})
	}
}
