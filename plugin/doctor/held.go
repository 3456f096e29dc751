package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// Held says in a sentence for each setting what the device was found to hold though nobody may write it by itself.
func (d DeviceSymptoms) Held() (sentences []string) {
	points, err := d.Config.Profile.ResolveNamed(d.Status.Identity.Traits)
	if err != nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(d.Learned.Held)) {
		i := slices.IndexFunc(points, func(p profile.Point) bool { return p.Key == key })
		if i >= 0 && points[i].Write != nil {
			sentences = append(sentences, held(d, points[i], d.Learned.Held[key]))
		}
	}
	return sentences
}

func held(d DeviceSymptoms, p profile.Point, values []codec.Value) string {
	var texts []string
	low, high := p.Write.Min, p.Write.Max
	for _, v := range values {
		texts = append(texts, strings.TrimSpace(v.String()+" "+p.Unit))
		low, high = min(low, v.Num), max(high, v.Num)
	}
	name, all := d.Config.Profile.FullName(p), strings.Join(texts, " and ")
	if p.Spec.Form == codec.OptionForm {
		return fmt.Sprintf("%s of %s was found to be %s, which is none of its options. It can be written back.", name,
			d.Config.Name, all)
	}
	key, limit := "max", high
	if high == p.Write.Max {
		key, limit = "min", low
	}
	return fmt.Sprintf("%s of %s was found to be %s; its limits are %s. It can be written back. "+
		"`points: {%s: {%s: %v}}` allows what lies between too.", name, d.Config.Name, all,
		strings.TrimSpace(fmt.Sprintf("%v to %v %s", p.Write.Min, p.Write.Max, p.Unit)), p.Key, key, limit)
}
