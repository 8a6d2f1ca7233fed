package scenario

import (
	"fmt"
	"strings"
)

// say writes a sentence: each %s is an argument and becomes a code span.
func say(format string, arguments ...any) string {
	spans := make([]any, len(arguments))
	for i, a := range arguments {
		spans[i] = span(fmt.Sprint(a))
	}
	return fmt.Sprintf(format, spans...)
}

// in is `X` in `N`.
func (i Iface) in() string { return say("%s in %s", i.Name, i.Netns) }

// either is the negative or the positive wording.
func either(not bool, negative, positive string) string {
	if not {
		return negative
	}
	return positive
}

const (
	hasNot = " does not have the "
	has    = " has the "
)

func (c NamespaceExists) Sentence() string {
	return say("namespace %s", c.Netns) + either(c.Not, " does not exist", " exists")
}

func (c HasInterface) Sentence() string {
	return say("%s", c.Netns) + either(c.Not, hasNot, has) + say("interface %s", c.Name)
}

func (c HasOnlyInterfaces) Sentence() string {
	names := make([]string, len(c.Names))
	for i, name := range c.Names {
		names[i] = span(name)
	}
	return say("%s has only the interfaces ", c.Netns) + strings.Join(names, ", ")
}

func (c AdminState) Sentence() string { return c.in() + either(c.Up, " is up", " is down") }
func (c Carrier) Sentence() string    { return c.in() + either(c.Has, " has carrier", " has no carrier") }
func (c LinkKind) Sentence() string   { return c.in() + say(" is a %s", c.Kind) }
func (c PeerOf) Sentence() string     { return c.Iface.in() + " is the peer of " + c.Peer.in() }

func (c HasAddress) Sentence() string {
	return c.in() + either(c.Not, hasNot, has) + say("address %s", c.Prefix)
}

func (c HasNoAddress) Sentence() string { return c.in() + " has no address" }
func (c HasMTU) Sentence() string       { return c.in() + either(c.Not, hasNot, has) + say("MTU %s", c.MTU) }
func (c HasMAC) Sentence() string {
	return c.in() + either(c.Not, hasNot, has) + say("MAC address %s", c.MAC)
}

func (c PortOf) Sentence() string {
	return c.in() + either(c.Not, " is not", " is") + say(" a port of %s", c.Bridge)
}

func (c HasRoute) Sentence() string {
	return say("%s", c.Netns) + either(c.Not, hasNot, has) + say("route %s", c.Text)
}

func (c HasRule) Sentence() string {
	return say("%s", c.Netns) + either(c.Not, hasNot, has) + say("rule %s", c.Text)
}

func (c SendsTo) Sentence() string {
	s := say("%s sends packets", c.Netns)
	if c.From.IsValid() {
		s += say(" from %s", c.From)
	}
	s += say(" for %s", c.Dest)
	if c.Via.IsValid() {
		return s + say(" to %s", c.Via)
	}
	return s + say(" out of %s", c.Out)
}

func (c NoRouteTo) Sentence() string    { return say("%s has no route to %s", c.Netns, c.Dest) }
func (c HasNeighbour) Sentence() string { return say("%s has the neighbour %s", c.Netns, c.Addr) }
func (c CannotResolve) Sentence() string {
	return say("%s cannot resolve the neighbour %s", c.Netns, c.Addr)
}

func (c Reaches) Sentence() string {
	s := say("%s", c.Netns) + either(c.Not, " does not reach ", " reaches ") + say("%s", c.Dest)
	switch {
	case c.From.IsValid():
		s += say(" from %s", c.From)
	case c.Bytes > 0:
		s += say(" with %s bytes unfragmented", c.Bytes)
	}
	return s
}

func (c Connects) Sentence() string {
	s := say("%s", c.Netns) + either(c.Outcome != ConnectOK, " does not connect to ", " connects to ") +
		say("%s on TCP port %s", c.Dest, c.Port)
	if c.Outcome == ConnectRefused || c.Outcome == ConnectSilence {
		s += say(" (%s)", c.Outcome)
	}
	return s
}

func (c SysctlIs) Sentence() string {
	return say("the sysctl %s in %s", c.Key, c.Netns) + either(c.Not, " is not ", " is ") + say("%s", c.Value)
}

func (c AttributeIs) Sentence() string {
	return say("the attribute %s of ", c.Attribute) + c.in() + either(c.Not, " is not ", " is ") + say("%s", c.Value)
}

func (c AddressIs) Sentence() string {
	return say("%s on ", c.Prefix) + c.in() + either(c.Not, " is not ", " is ") + say("%s", c.State)
}

func (c CounterGrew) Sentence() string {
	s := say("the counter %s", c.Counter)
	if c.Link != "" {
		s += say(" of %s", c.Link)
	}
	s += say(" in %s", c.Netns)
	if c.By == 0 {
		return s + " did not grow"
	}
	return s + say(" grew by %s", c.By)
}

func (c Learned) Sentence() string { return c.in() + say(" has learned %s on %s", c.MAC, c.Port) }

func (c SawEvent) Sentence() string {
	if c.Object == "" {
		return say("%s saw no event", c.Netns)
	}
	return say("%s saw the event %s", c.Netns, strings.TrimSpace(c.Object+" "+c.Verb+" "+c.Detail))
}

func (c NearestName) Sentence() string {
	return say("the nearest name to %s is %s in %s", c.Typo, c.Name, c.Netns)
}

func (c CauseIs) Sentence() string {
	s := "the cause " + c.words() + say(" is %s", c.Cause)
	if c.On.Name != "" {
		return s + " on " + c.On.in()
	}
	return s + say(" in %s", c.On.Netns)
}

func (c NothingWrong) Sentence() string { return "nothing is wrong " + c.words() }

func (q Question) words() string {
	s := say("from %s to %s", q.Netns, q.Dest)
	switch {
	case q.From.IsValid():
		s += say(" from %s", q.From)
	case q.Bytes > 0:
		s += say(" with %s bytes unfragmented", q.Bytes)
	case q.Port > 0:
		s += say(" on TCP port %s", q.Port)
	}
	return s
}
