package feed

import "slices"

// Message is one message of rtnetlink(7) as the kernel sent it.
type Message struct {
	Kind, Flags uint16
	Body        []byte
}

// Hearer collects the messages of rtnetlink about one namespace.
type Hearer struct {
	feed     *Feed
	name     string
	messages []Message
	size     int
	lost     bool
}

// mostHeard limits what a Hearer keeps, in bytes; beyond it messages are lost.
const mostHeard = 16 << 20

// Hear begins to collect the messages about the namespace that has the name in the lesson, now or later: those that the
// kernel sends from this call on.
func (f *Feed) Hear(name string) *Hearer {
	f.sync()
	h := &Hearer{feed: f, name: name}
	f.mu.Lock()
	h.lost = f.failed != nil
	f.hearers[name] = append(f.hearers[name], h)
	f.mu.Unlock()
	return h
}

// Heard returns the messages since the last call: all that the kernel sent before this one. complete is false, now and
// from now on, if some were lost.
func (h *Hearer) Heard() (messages []Message, complete bool) {
	h.feed.sync()
	h.feed.mu.Lock()
	defer h.feed.mu.Unlock()
	messages, h.messages, h.size = h.messages, nil, 0
	return messages, !h.lost
}

// Close ends the collection.
func (h *Hearer) Close() {
	h.feed.mu.Lock()
	defer h.feed.mu.Unlock()
	all := slices.DeleteFunc(h.feed.hearers[h.name], func(other *Hearer) bool { return other == h })
	if h.feed.hearers[h.name] = all; len(all) == 0 {
		delete(h.feed.hearers, h.name)
	}
}

// pass passes a message on to those who collect the messages of its namespace.
func (f *Feed) pass(id int, m message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.hearers) == 0 {
		return
	}
	for _, name := range f.by[id] {
		for _, h := range f.hearers[name] {
			if h.size += len(m.body); h.size > mostHeard {
				h.lost = true
				continue
			}
			h.messages = append(h.messages, Message{m.kind, m.flags, slices.Clone(m.body)})
		}
	}
}
