package claim

import (
	"errors"
	"slices"
	"strings"
)

// SawEvent is `N` saw the event `link add X`; Object "" is `N` saw no event.
type SawEvent struct {
	Netns                string
	Object, Verb, Detail string
}

func init() {
	add(Entry{
		Place: 260,
		Means: "since before the section's commands: `link`, `addr`, `route`, `neigh` with `add`, `change`, `del` " +
			"and what it was",
		Forms: []Form{
			says("`N` saw the event `link add X`", func(a arguments) Claim {
				e := a[1].(SawEvent)
				e.Netns = a.text(0)
				return e
			}),
			denies("`N` saw no event", func(a arguments) Claim { return SawEvent{Netns: a.text(0)} }),
		},
		Slots: map[string]Slot{"link add X": {wantedEvent, readEvent}},
	})
}

const wantedEvent = "an event such as link add X: what, add, change or del, and which"

func readEvent(text string) (any, error) {
	words := strings.Fields(text)
	if len(words) < 3 {
		return nil, expected(text, wantedEvent)
	}
	err := errors.Join(oneOf("event object", []string{"link", "addr", "route", "neigh"})(words[0]),
		oneOf("event", []string{"add", "change", "del"})(words[1]))
	return SawEvent{Object: words[0], Verb: words[1], Detail: strings.Join(words[2:], " ")}, err
}

func (c SawEvent) Sentence() string {
	if c.Object == "" {
		return say("%s saw no event", c.Netns)
	}
	return say("%s saw the event %s", c.Netns, strings.TrimSpace(c.Object+" "+c.Verb+" "+c.Detail))
}

func (c SawEvent) Needs() Needs {
	return Needs{Class: BySince, Question: Watch{Netns: c.Netns, None: c.Object == ""}, Settles: c.Object != ""}
}

func (c SawEvent) Judge(known Evidence) Finding {
	found := "the events: " + list(known.Events, Event.String)
	if c.Object == "" {
		return finding(len(known.Events) == 0, found)
	}
	return finding(
		slices.ContainsFunc(known.Events, func(e Event) bool { return e.Is(c.Object, c.Verb, c.Detail) }),
		found,
	)
}

// Mutants has none for an event that was seen, since it cannot be undone.
func (c SawEvent) Mutants() Mutants {
	if c.Object != "" {
		return Mutants{}
	}
	return Mutants{
		Own: []Way{by(in(c.Netns, "link add extra type bridge")), by(in(c.Netns, "link add extra type veth"))},
	}
}
