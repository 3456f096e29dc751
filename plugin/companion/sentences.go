package companion

import (
	"encoding/json"
	"fmt"
)

// Sentences returns the English sentence of each error code of a call, with {placeholders}.
func Sentences() (map[string]string, error) {
	text, err := solarhub.ReadFile("solarhub/translations/en.json")
	if err != nil {
		return nil, fmt.Errorf("sentences of the companion: %w", err)
	}
	var english struct {
		Exceptions map[string]struct{ Message string }
	}
	if err := json.Unmarshal(text, &english); err != nil {
		return nil, fmt.Errorf("sentences of the companion: %w", err)
	}
	texts := map[string]string{}
	for code, e := range english.Exceptions {
		texts[code] = e.Message
	}
	return texts, nil
}
