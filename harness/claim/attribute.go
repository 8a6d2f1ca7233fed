package claim

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// AttributeIs is the attribute `A` of `X` in `N` is `V`.
type AttributeIs struct {
	Iface
	Attribute, Value string
	Not              bool
}

func init() {
	add(Entry{
		Place: 220,
		Means: attributeMeaning(),
		Forms: []Form{
			says("the attribute `txqueuelen` of `X` in `N` is `500`", func(a arguments) Claim {
				return AttributeIs{Attribute: a.text(0), Iface: a.iface(1), Value: a.text(3)}
			}),
			denies("the attribute `txqueuelen` of `X` in `N` is not `500`", func(a arguments) Claim {
				return AttributeIs{Attribute: a.text(0), Iface: a.iface(1), Value: a.text(3), Not: true}
			}),
		},
		Slots: map[string]Slot{"txqueuelen": asText("attribute: "+strings.Join(attributeNames(), ", "), checkAttribute),
			"500": anything("a value")},
	})
}

// checkOf are the checks of what is no attribute here, by the words in which `ip link` and /sys/class/net have it.
var checkOf = map[string]string{
	"mtu":          "`X` in `N` has the MTU `1500`",
	"address":      "`X` in `N` has the MAC address `02:00:00:00:00:01`",
	"lladdr":       "`X` in `N` has the MAC address `02:00:00:00:00:01`",
	"mac":          "`X` in `N` has the MAC address `02:00:00:00:00:01`",
	"inet":         "`X` in `N` has the address `192.168.2.102/24`",
	"inet6":        "`X` in `N` has the address `192.168.2.102/24`",
	"master":       "`X` in `N` is a port of `br0`",
	"kind":         "`X` in `N` is a `veth`",
	"type":         "`X` in `N` is a `veth`",
	"peer":         "`X` in `N` is the peer of `Y` in `M`",
	"name":         "`N` has the interface `X`",
	"carrier":      "`X` in `N` has carrier",
	"up":           "`X` in `N` is up",
	"link-netnsid": "`N` knows `M` by the id `5`",
}

func checkAttribute(name string) error {
	if form := checkOf[strings.ToLower(name)]; form != "" {
		return fmt.Errorf("%s is no attribute, it has a check of its own: “%s”", name, form)
	}
	return oneOf("attribute", attributeNames())(name)
}

// attributeMeaning lists the attributes for the reference, without the one in the example.
func attributeMeaning() string {
	names := func(all []attribute) string {
		var spans []string
		for _, a := range all {
			spans = append(spans, Span(a.name))
		}
		return strings.Join(spans, ", ")
	}
	return fmt.Sprintf("also %s (`arp` and offloads are `on` or `off`); of a port of a bridge %s; of a bridge %s; "+
		"as `ip -d link` shows them, and those of a bridge that are `1` or `0` also as `on` or `off`",
		names(linkAttributes[1:]), names(portAttributes), names(bridgeAttributes))
}

func (c AttributeIs) Sentence() string {
	return say("the attribute %s of ", c.Attribute) + c.in() + either(c.Not, " is not ", " is ") + say("%s", c.Value)
}

// consistent refuses a value that the attribute can never have.
func (c AttributeIs) consistent() error {
	_, err := attributeNamed(c.Attribute).read(c.Value)
	return err
}

func (c AttributeIs) Needs() Needs {
	if feature, ok := strings.CutPrefix(c.Attribute, offload); ok {
		return Needs{Class: ByKernel, Question: Offload{Iface: c.Iface, Feature: feature}}
	}
	return stateOnly()
}

// Judge compares the attribute. If it has several values (alternative names), one of them must match. A link that
// cannot have the attribute, such as a port's, makes the negative claim false too.
func (c AttributeIs) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		a := attributeNamed(c.Attribute)
		want, err := a.read(c.Value)
		if err != nil {
			return Finding{Err: fmt.Errorf("not judged: %w", err)}
		}
		values := []string{word(known.On, "on", "off")} // of an offload
		if a.of != nil {
			values = a.of(l)
		}
		if values == nil {
			return finding(false, c.Name+" is "+a.owner.lacking)
		}
		return finding(
			slices.Contains(values, want) != c.Not,
			fmt.Sprintf("%s is %s", c.Attribute, orNone(strings.Join(values, ", "))),
		)
	})
}

// unsettledBy: what follows from the carrier settles; the other attributes only commands change.
func (c AttributeIs) unsettledBy(_ *state.State, p state.Pending) bool {
	switch c.Attribute {
	case "operstate", "qdisc":
		return p.Kind == state.PendingCarrier || p.Kind == state.PendingPort
	case "state": // of a port
		return p.Kind == state.PendingCarrier || p.Kind == state.PendingPort && p.Netns == c.Netns && p.Dev == c.Name
	}
	return false
}

func (c AttributeIs) Mutants() Mutants {
	a := attributeNamed(c.Attribute)
	var ways []Way
	if c.Not {
		ways = a.setters(c.Iface, c.Value)
	} else if a.name == "altname" {
		ways = append(ways, by(in(c.Netns, "link property del dev %s altname '%s'", c.Name, c.Value)))
	}
	for _, other := range a.others {
		if c.Not || other != c.Value {
			ways = append(ways, a.setters(c.Iface, other)...)
		}
	}
	// Last, replace the link by another one of its name, for attributes that are fixed when it is made.
	queues := "link add %s index 7777 numtxqueues 3 numrxqueues 3 type veth"
	if c.Not && a.made {
		queues = fmt.Sprintf("link add %%s %s %s type veth", word(a.name == "ifindex", "index", a.name), c.Value)
	}
	another, gone := in(c.Netns, queues, c.Name), in(c.Netns, "link del %s", c.Name)
	return Mutants{
		Own: append(ways,
			by(in(c.Netns, "link set %s down", c.Name)),
			by(in(c.Netns, "link set %s up", c.Name)),
			by(gone, another),
			by(gone, in(c.Netns, "link add %s type bridge", c.Name)),
			by(in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name other", c.Name), another),
		),
		Gone: without(c.Iface),
	}
}
