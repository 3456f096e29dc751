package strict

import "strings"

// didYouMean returns a hint at the nearest of the words, or nothing where none is near.
func didYouMean(given string, words []string) string {
	best, nearest := "", 0
	for _, word := range words {
		d := distance(fold(given), fold(word))
		// A third of the letters, but one at least: "unti" is near "unit", "on" is not near "at".
		if d <= max(1, len(word)/3) && d < len(word)-1 && (best == "" || d < nearest) {
			best, nearest = word, d
		}
	}
	if best == "" {
		for _, word := range words {
			if len(given) > 2 && len(word) > 2 && (strings.HasPrefix(word, given) || strings.HasPrefix(given, word)) {
				best = word
				break
			}
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + quote(best) + "?"
}

// fold makes spellings equal that people take for the same.
func fold(s string) string {
	return strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(shorten(s)))
}

// distance counts the letters to change, add, leave out or swap with their neighbour to get from a to b.
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
