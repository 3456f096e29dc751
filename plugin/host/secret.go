package host

import (
	"fmt"
	"io"

	"github.com/rs/zerolog"
)

// hidden is what every printed secret looks like.
const hidden = "***"

// Secret is a text that must never be shown, such as an access token. Printing it in any way, encoding it as JSON or
// text and logging it with zerolog give "***"; only Reveal returns the text. The text is behind a pointer because fmt
// prints unexported fields without calling their methods.
type Secret struct{ text *string }

// NewSecret returns the secret that holds text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text itself, to be handed to the host and nowhere else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Format writes "***" for every verb, %d and %x too.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// String returns "***".
func (s Secret) String() string { return hidden }

// GoString returns "***", for %#v.
func (s Secret) GoString() string { return hidden }

// MarshalText returns "***"; JSON and YAML encoders use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON returns "***" in quotes.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalZerologObject keeps the text out of Event.Object and Event.EmbedObject.
func (s Secret) MarshalZerologObject(e *zerolog.Event) { e.Str("secret", hidden) }

// UnmarshalText takes text as the secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
