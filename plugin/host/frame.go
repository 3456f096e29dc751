package host

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Decode splits one frame of the host into its messages. A frame is one object, or an array of objects because the
// client supports coalesce_messages.
func Decode(frame []byte) ([]Incoming, error) {
	frame = bytes.TrimLeft(frame, " \t\r\n")
	if len(frame) > 0 && frame[0] == '[' {
		var many []Incoming
		if err := json.Unmarshal(frame, &many); err != nil {
			return nil, fmt.Errorf("decode frame: %w", err)
		}
		return many, nil
	}
	var one Incoming
	if err := json.Unmarshal(frame, &one); err != nil {
		return nil, fmt.Errorf("decode frame: %w", err)
	}
	return []Incoming{one}, nil
}

// encode returns the frame of a command. The fields of body, an object or nil, follow id and type.
func encode(id int64, command string, body any) ([]byte, error) {
	fields := []byte("{}")
	if body != nil {
		var err error
		if fields, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("encode %s: %w", command, err)
		}
	}
	if len(fields) < 2 || fields[0] != '{' {
		return nil, fmt.Errorf("encode %s: the body is no object: %.40s", command, fields)
	}
	frame := fmt.Appendf(make([]byte, 0, len(fields)+64), `{"id":%d,"type":%q`, id, command)
	if len(fields) > 2 {
		frame = append(frame, ',')
	}
	return append(frame, fields[1:]...), nil
}
