package operation

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// NexthopChange is `ip nexthop add|replace|del`: an object that routes name by its id (nhid). Its family is that of -4
// and -6, else of the gateway, else IPv4 if it has a device or is a blackhole.
type NexthopChange struct {
	Verb      Verb
	ID        *uint32
	Family    Family
	Via       netip.Addr
	Dev       string
	OnLink    bool
	Blackhole bool
	FDB       bool // for the forwarding database of a VXLAN link
	Proto     string
	Encap     *Encap
	// Group makes the object a group of others. GroupType is "", mpath or resilient; the other fields are options of
	// the latter, the times in seconds.
	Group           []GroupMember
	GroupType       string
	Buckets         *int
	IdleTimer       *int
	UnbalancedTimer *int
}

// GroupMember is one object in a group. A Weight of 0 was not written and means 1.
type GroupMember struct {
	ID     uint32
	Weight int
}

// NexthopFlush is `ip nexthop flush …`: every filter that is set must match. ID deletes this object alone.
type NexthopFlush struct {
	Family Family
	ID     *uint32
	Dev    string
	Master string
	Groups bool
	FDB    bool
	Proto  *int
}

var (
	nexthopVerbs    = newGrammar("add replace delete list=show show lst=show get flush bucket help")
	nexthopObject   = newGrammar("id! dev! via! encap! blackhole! fdb! onlink! group! type! hw_stats! protocol help!")
	nexthopFlushing = newGrammar("dev groups master vrf=master id! protocol fdb help")
	resilientWords  = newGrammar("buckets! idle_timer! unbalanced_timer!")
)

func parseNexthop(in ipCommand) (Operation, error) {
	if in.verb == "" {
		return in.show("nexthop", "show")
	}
	verb, known := nexthopVerbs.find(in.verb)
	switch {
	case !known:
		return nil, nexthopVerbs.unknown(in.verb)
	case verb == "add", verb == "replace":
		return parseNexthopChange(Verb(verb), in.words)
	case verb == "delete":
		return parseNexthopChange(Delete, in.words)
	case verb == "flush":
		return parseNexthopFlush(in.words)
	case verb == "help":
		return nil, &UnknownWord{Word: in.verb}
	}
	return in.show("nexthop", verb)
}

func parseNexthopChange(verb Verb, w *words) (Operation, error) {
	op := NexthopChange{Verb: verb}
	// A device or a blackhole without a family is IPv4: then an IPv6 gateway after it is refused.
	ipv4 := func(act func(string) error) func(string) error {
		return func(keyword string) error {
			if w.family == FamilyAny {
				w.family = FamilyV4
			}
			return act(keyword)
		}
	}
	err := nexthopObject.parse(w, actions{
		"id":        w.onceUnknown(readTo(w, &op.ID, unsigned32)),
		"dev":       w.onceUnknown(ipv4(read(w, &op.Dev, name))),
		"via":       w.onceUnknown(read(w, &op.Via, w.objectGateway)),
		"encap":     w.onceUnknown(read(w, &op.Encap, w.encap)),
		"blackhole": ipv4(w.flag(&op.Blackhole, true)),
		"fdb":       w.flag(&op.FDB, true),
		"onlink":    w.flag(&op.OnLink, true),
		"group":     w.onceUnknown(read(w, &op.Group, groupMembers)),
		"type":      w.onceUnknown(func(keyword string) error { return op.parseGroupType(w, keyword) }),
		"protocol":  read(w, &op.Proto, protos.understand),
	}, nil)
	if err != nil {
		return nil, err
	}
	op.Family = w.family
	return op, op.Encap.unsayable()
}

// objectGateway reads a gateway of the family of its nexthop.
func (w *words) objectGateway(keyword, value string) (netip.Addr, error) {
	addr, err := w.gateway(keyword, value)
	if err == nil && familyOf(addr) != w.family {
		err = usage(addr.String(), "the next hop is one of IPv%d", int(w.family))
	}
	return addr, err
}

// groupMembers reads ID[,WEIGHT] separated by slashes.
func groupMembers(keyword, value string) ([]GroupMember, error) {
	var group []GroupMember
	for member := range strings.SplitSeq(value, "/") {
		id, weight, weighted := strings.Cut(member, ",")
		n, err := unsigned32(keyword, id)
		if err != nil {
			return nil, err
		}
		m := GroupMember{ID: n}
		if weighted {
			if m.Weight, err = between(1, 256)(keyword, weight); err != nil {
				return nil, err
			}
		}
		group = append(group, m)
	}
	return group, nil
}

// parseGroupType reads the type of a group, and the options of a resilient one, which stand right after it.
func (op *NexthopChange) parseGroupType(w *words, keyword string) error {
	if err := read(w, &op.GroupType, oneOf("mpath", "resilient"))(keyword); err != nil || op.GroupType == "mpath" {
		return err
	}
	seconds := between(0, math.MaxUint32/100-1)
	options := actions{
		"buckets":          readTo(w, &op.Buckets, uint16s),
		"idle_timer":       readTo(w, &op.IdleTimer, seconds),
		"unbalanced_timer": readTo(w, &op.UnbalancedTimer, seconds),
	}
	for w.more() {
		option, ok := resilientWords.find(w.left[0])
		if !ok {
			return nil
		}
		w.next()
		if err := options[option](option); err != nil {
			return err
		}
	}
	return nil
}

func parseNexthopFlush(w *words) (Operation, error) {
	op := NexthopFlush{Family: w.family}
	err := nexthopFlushing.parse(w, actions{
		"dev":      read(w, &op.Dev, name),
		"master":   read(w, &op.Master, name),
		"groups":   w.flag(&op.Groups, true),
		"fdb":      w.flag(&op.FDB, true),
		"protocol": readTo(w, &op.Proto, uint8s),
		"id": func(keyword string) error {
			err := readTo(w, &op.ID, unsigned32)(keyword)
			if err == nil && w.more() { // iproute2 does not look at the rest
				err = &UnknownWord{Word: w.next()}
			}
			return err
		},
	}, nil)
	if err != nil {
		return nil, err
	}
	return op, nil
}

func (op NexthopChange) args() []string {
	var out argv
	out.family(op.Family, op.Via)
	out = append(out, "nexthop", string(op.Verb))
	out.uint32("id", op.ID)
	out.addr("via", op.Via)
	out.word("dev", op.Dev)
	out.flag("onlink", op.OnLink)
	out.flag("blackhole", op.Blackhole)
	out.flag("fdb", op.FDB)
	out.word("protocol", op.Proto)
	out.encap(op.Encap)
	if len(op.Group) > 0 {
		out = append(out, "group", groupText(op.Group))
	}
	out.word("type", op.GroupType)
	out.int("buckets", op.Buckets)
	out.int("idle_timer", op.IdleTimer)
	out.int("unbalanced_timer", op.UnbalancedTimer)
	return out
}

func groupText(group []GroupMember) string {
	members := make([]string, len(group))
	for i, m := range group {
		members[i] = strconv.FormatUint(uint64(m.ID), 10)
		if m.Weight != 0 {
			members[i] += "," + strconv.Itoa(m.Weight)
		}
	}
	return strings.Join(members, "/")
}

func (op NexthopFlush) args() []string {
	var out argv
	out.family(op.Family)
	out = append(out, "nexthop", "flush")
	out.word("dev", op.Dev)
	out.word("master", op.Master)
	out.flag("groups", op.Groups)
	out.flag("fdb", op.FDB)
	out.int("protocol", op.Proto)
	out.uint32("id", op.ID)
	return out
}
