package devhost

import (
	"encoding/json"

	"solarhub/plugin/host"
)

// What a Modbus line does is no business of a home automation host, and Home Assistant has nothing of the kind. These
// two commands carry what the process around this host knows of its lines to the page, as JSON that is not looked into:
//
//	devhost/line            {topic?}  -> what Options.Line returns for the topic
//	devhost/line/subscribe  {topic?}  -> an event {topic, data} for each Publish; all topics unless one is named

// Publish hands data to the clients that listen to a topic, such as "exchange". It does not wait for them; a client
// that lets too much wait is cut off as with every other event. Nothing is encoded while nobody listens.
func (h *Host) Publish(topic string, data any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tell(func(s subscription) bool { return s.topic == topic || s.topic == anyEvent },
		func() any { return map[string]any{"topic": topic, "data": data} })
}

// Watched reports whether somebody listens to a topic, so that what nobody sees need not be made.
func (h *Host) Watched(topic string) (watched bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		for _, s := range c.subs {
			watched = watched || s.topic == topic || s.topic == anyEvent
		}
	}
	return watched
}

type lineTopic struct {
	Topic string `json:"topic"`
}

func (h *Host) line(c command) (any, error) {
	var f lineTopic
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if h.options.Line == nil {
		return nil, &Error{Code: host.RefusedNotFound, Message: "This host has no line to show."}
	}
	known, err := h.options.Line(h.life, f.Topic)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(known)
	return json.RawMessage(text), err
}

func (h *Host) lineSubscribe(c command) (any, error) {
	f := lineTopic{Topic: anyEvent}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	return h.subscribe(c, subscription{topic: f.Topic}, nil)
}
