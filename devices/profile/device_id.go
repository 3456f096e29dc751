package profile

import (
	"fmt"
	"strings"
)

// maxID is the longest device id. The longest serial number known has 20 characters.
const maxID = 64

// CheckDeviceID returns what is wrong with a device id: the serial number that a device gives, or the id that a
// configuration gives it. The id becomes part of unique_ids, of the names of parts and of keys in the cache, where /
// and blanks have a meaning; and a device that was never given a serial number answers with zeros.
func CheckDeviceID(id string) error {
	for _, char := range id {
		switch {
		case 'a' <= char && char <= 'z', 'A' <= char && char <= 'Z', '0' <= char && char <= '9',
			strings.ContainsRune("-_.:+#", char):
		default:
			return fmt.Errorf("%q is not allowed in it: use letters, digits and any of - _ . : + #", char)
		}
	}
	switch {
	case len(id) > maxID:
		return fmt.Errorf("it has %d characters, more than %d", len(id), maxID)
	case strings.Trim(id, "0") == "":
		return fmt.Errorf("nothing but zeros identifies no device")
	}
	return nil
}
