package claim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/state"
)

// AttributeIs is the attribute `A` of `X` in `N` is `V`. The format has no negative form; Not is for suites in Go.
type AttributeIs struct {
	Iface
	Attribute, Value string
	Not              bool
}

func init() {
	add(Entry{
		Place: 220,
		Means: "also " + attributeList() + " (`arp` and offloads are `on` or `off`)",
		Forms: []Form{
			says("the attribute `txqueuelen` of `X` in `N` is `500`", func(a arguments) Claim {
				return AttributeIs{Attribute: a.text(0), Iface: a.iface(1), Value: a.text(3)}
			}),
		},
		Slots: map[string]Slot{"txqueuelen": oneOfThe("attribute", attributeNames()), "500": anything("a value")},
	})
}

// attributes are the attributes of a link that a check can name, with their values as text. Those without a function
// are offloads, which are not part of the state.
var attributes = []struct {
	name string
	read func(*state.Link) []string
}{
	{"txqueuelen", func(l *state.Link) []string { return digits(l.TxQLen) }},
	{"alias", func(l *state.Link) []string { return []string{l.Alias} }},
	{"group", func(l *state.Link) []string { return groupNames(l.Group) }},
	{"altname", func(l *state.Link) []string { return l.AltNames }},
	{"promiscuity", func(l *state.Link) []string { return digits(l.Promiscuity) }},
	{"numtxqueues", func(l *state.Link) []string { return digits(l.NumTx) }},
	{"numrxqueues", func(l *state.Link) []string { return digits(l.NumRx) }},
	{"gso_max_size", func(l *state.Link) []string { return digits(l.GSOMaxSize) }},
	{"qdisc", func(l *state.Link) []string { return []string{l.Qdisc} }},
	{"operstate", func(l *state.Link) []string { return []string{strings.ToLower(l.OperState)} }},
	{"ifindex", func(l *state.Link) []string { return digits(l.Index) }},
	{"arp", func(l *state.Link) []string { return []string{word(l.NoARP, "off", "on")} }},
	{offload + "tso", nil},
	{offload + "gro", nil},
}

// offload is the prefix of the names of offloads.
const offload = "offload:"

func attributeNames() (names []string) {
	for _, a := range attributes {
		names = append(names, a.name)
	}
	return names
}

// attributeList is the list for the reference, without the attribute in the example.
func attributeList() string {
	names := attributeNames()[1:]
	for i := range names {
		names[i] = Span(names[i])
	}
	return strings.Join(names, ", ")
}

func digits(n int) []string { return []string{strconv.Itoa(n)} }

// groupNames are the number of a group and, for group 0, its name in iproute2 (/etc/iproute2/group).
func groupNames(g uint32) []string {
	if g == 0 {
		return []string{"0", "default"}
	}
	return []string{strconv.FormatUint(uint64(g), 10)}
}

func (c AttributeIs) Sentence() string {
	return say("the attribute %s of ", c.Attribute) + c.in() + either(c.Not, " is not ", " is ") + say("%s", c.Value)
}

// consistent refuses a value that the attribute can never have.
func (c AttributeIs) consistent() error {
	switch c.Attribute {
	case "arp", "offload:tso", "offload:gro":
		return oneOf("value of "+c.Attribute, []string{"on", "off"})(c.Value)
	case "txqueuelen", "promiscuity", "numtxqueues", "numrxqueues", "gso_max_size", "ifindex":
		_, err := number("a number for "+c.Attribute, 0, 1<<32-1).read(c.Value)
		return err
	}
	return nil
}

func (c AttributeIs) Needs() Needs {
	if feature, ok := strings.CutPrefix(c.Attribute, offload); ok {
		return Needs{Class: ByKernel, Question: Offload{Iface: c.Iface, Feature: feature}}
	}
	return stateOnly()
}

// Judge compares the attribute. If it has several values (alternative names), one of them must match.
func (c AttributeIs) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		values, ok := c.values(l, known.On)
		if !ok {
			return Finding{Err: fmt.Errorf("not judged: there is no attribute %s", c.Attribute)}
		}
		want := c.Value
		if c.Attribute == "operstate" {
			want = strings.ToLower(want)
		}
		return finding(
			slices.Contains(values, want) != c.Not,
			fmt.Sprintf("%s is %s", c.Attribute, orNone(strings.Join(values, ", "))),
		)
	})
}

func (c AttributeIs) values(l *state.Link, on bool) ([]string, bool) {
	if strings.HasPrefix(c.Attribute, offload) {
		return []string{word(on, "on", "off")}, true
	}
	for _, a := range attributes {
		if a.name == c.Attribute {
			return a.read(l), true
		}
	}
	return nil, false
}

func (c AttributeIs) Mutants() Mutants {
	set := func(format string, args ...any) Way { return by(in(c.Netns, "link set "+c.Name+" "+format, args...)) }
	another := []Way{ // for attributes fixed at creation: replace the link by another one of the same name
		by(
			in(c.Netns, "link del %s", c.Name),
			in(c.Netns, "link add %s index 7777 numtxqueues 3 numrxqueues 3 type veth", c.Name),
		),
		by(in(c.Netns, "link del %s", c.Name), in(c.Netns, "link add %s type bridge", c.Name)),
		by(in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name other", c.Name),
			in(c.Netns, "link add %s index 7777 numtxqueues 3 numrxqueues 3 type veth", c.Name)),
	}
	ways := another
	switch c.Attribute {
	case "txqueuelen":
		ways = []Way{set("txqueuelen 77")}
	case "alias":
		ways = []Way{set("alias zzz")}
	case "altname":
		ways = []Way{by(in(c.Netns, "link property del dev %s altname %s", c.Name, c.Value))}
	case "promiscuity":
		ways = []Way{set("promisc on"), set("promisc off")}
	case "arp":
		ways = []Way{set("arp %s", word(c.Value == "on", "off", "on"))}
	case "operstate":
		ways = append([]Way{set("down"), set("up")}, another...)
	case "group":
		ways = append([]Way{set("group 77")}, another...)
	case "qdisc":
		ways = append(
			[]Way{by(execIn(c.Netns, "tc qdisc replace dev %s root tbf rate 1mbit burst 10kb latency 50ms", c.Name)),
				by(execIn(c.Netns, "tc qdisc del dev %s root", c.Name))},
			another...)
	case "gso_max_size":
		ways = append([]Way{by(execIn(c.Netns, "ip link set dev %s gso_max_size 8192", c.Name))}, another...)
	}
	return Mutants{Own: ways, Gone: without(c.Iface)}
}
