package host

import (
	"encoding/json"
	"math"
	"strings"
)

// Value returns v in a form that the host accepts: float64, int64, uint64, string, bool, or nil for unknown. NaN,
// infinities and values that are not scalars become nil: JSON cannot hold the first two, and the host closes the
// connection on them.
func Value(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		return v
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case float64:
		return finite(v)
	case float32:
		return finite(float64(v))
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return nil
		}
		return finite(f)
	}
	return whole(v)
}

func finite(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	if f == 0 { // also minus zero, which would be shown as "-0"
		return 0.0
	}
	return f
}

func whole(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case int64:
		return v
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		if v > 1<<53 { // a float has fewer digits, and the host takes all of them
			return v
		}
		return float64(v)
	case uint:
		return whole(uint64(v))
	}
	return nil
}
