package strict

import (
	"slices"
	"strings"
)

// Meant guesses which allowed word somebody misspelt: up to a third of the letters may differ, or one word is the
// beginning of the other and of no second word.
func Meant(word string, allowed []string) string {
	if len(word) > 60 { // longer than any allowed word, and the time grows with the product of the lengths
		return ""
	}
	best, least := "", (len(word)+1)/3+1
	begun, several := "", false
	for _, a := range allowed {
		if d := distance(fold(word), fold(a)); d < least && d < len(a) {
			best, least = a, d
		}
		if len(word) > 2 && len(a) > 2 &&
			(strings.HasPrefix(fold(a), fold(word)) || strings.HasPrefix(fold(word), fold(a))) {
			several = several || begun != ""
			begun = a
		}
	}
	switch {
	case best != "":
		return "; did you mean " + best + "?"
	case begun != "" && !several:
		return "; did you mean " + begun + "?"
	}
	return ""
}

// Nearest returns the allowed word that takes the fewest letters to become from the given one; "" if there is none.
func Nearest(word string, allowed []string) string {
	word = word[:min(len(word), 60)]
	least := func(a, b string) int { return distance(fold(word), fold(a)) - distance(fold(word), fold(b)) }
	if len(allowed) == 0 {
		return ""
	}
	return slices.MinFunc(allowed, least)
}

// fold makes spellings equal that people mix up: Max-registers and max_registers.
func fold(s string) string {
	return strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(s))
}

// distance returns how many letters to insert, delete, replace, or swap with their neighbour to make b from a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, now := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		now[0] = i
		for j := 1; j <= len(y); j++ {
			change := last[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			now[j] = min(change, last[j]+1, now[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(y)]
}
