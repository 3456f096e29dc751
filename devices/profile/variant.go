package profile

// FirstVariant returns the variant that is meant where none is named; empty for a family without variants.
func (p *Profile) FirstVariant() string {
	if len(p.Variants) == 0 {
		return ""
	}
	return p.Variants[0]
}

// FullName returns the name of a point with its part in front, as a person meets it in the host.
func (p *Profile) FullName(point Point) string {
	for _, part := range p.Parts {
		if part.Key == point.Part {
			return part.Name + ": " + point.Name
		}
	}
	return point.Name
}
