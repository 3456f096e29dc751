package devhost

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"
)

// entryID is the id of the one config entry.
const entryID = "01DEVH0STC0NF1GENTRY000000"

// The ids of the two users that there are.
var (
	ownerID = hexID("user owner")
	plainID = hexID("user guest")
)

// letters of a ULID: none that is taken for another.
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var encoding = base32.NewEncoding(letters).WithPadding(base32.NoPadding)

// newID returns a ULID, as the ids of Home Assistant's contexts are: milliseconds since 1970, then 80 random bits.
func newID() string {
	var random [10]byte
	_, _ = rand.Read(random[:]) // never fails
	var at [10]byte
	for i, ms := 9, time.Now().UnixMilli(); i >= 0; i, ms = i-1, ms>>5 {
		at[i] = letters[ms&31]
	}
	return string(at[:]) + encoding.EncodeToString(random[:])
}

// hexID returns the registry id of a thing: the same for the same name, so that none needs to be kept.
func hexID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

// deviceID is the registry id of a device.
func deviceID(id string) string { return hexID("device " + id) }

var entityIDForm = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

// entityIDs reads one entity_id, or a list of them.
func entityIDs(v any) ([]string, error) {
	all, is := v.([]any)
	if !is {
		all = []any{v}
	}
	names := make([]string, len(all))
	for i, one := range all {
		id, is := one.(string)
		if !is || !entityIDForm.MatchString(id) {
			return nil, fmt.Errorf("%v is no entity id", one)
		}
		names[i] = id
	}
	return names, nil
}
