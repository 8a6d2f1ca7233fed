package operation

import (
	"math"
	"net"
)

var linkVerbs = newGrammar("add set change=set replace delete show list=show lst=show xstats afstats property help")

// linkWords are the keywords up to the kind of the link; another word is the link's name.
var linkWords = newGrammar(`up! down! name! index! link address broadcast brd!=broadcast txqueuelen qlen!=txqueuelen
	txqlen=txqueuelen mtu! xdpgeneric! xdpdrv! xdpoffload! xdp! netns! multicast! allmulticast! promisc! trailers! arp!
	carrier! vf! master vrf! nomaster dynamic type alias group! mode! state! numtxqueues numrxqueues addrgenmode
	link-netns link-netnsid protodown! protodown_reason! gso_max_size! gso_max_segs! gro_max_size!
	parentdev! help dev!`)

func parseLink(in ipCommand) (Operation, error) {
	if in.verb == "" {
		return in.show("link", "show")
	}
	verb, known := linkVerbs.find(in.verb)
	switch {
	case !known:
		return nil, linkVerbs.unknown(in.verb)
	case verb == "add":
		return parseLinkAdd(in.words)
	case verb == "set":
		return parseLinkSet(in.words)
	case verb == "delete":
		return parseLinkDelete(in.words)
	case verb == "property":
		return parseLinkProperty(in.words)
	case verb == "show", verb == "xstats", verb == "afstats":
		return in.show("link", verb)
	}
	return nil, &UnknownWord{Word: in.verb}
}

// attributeActions read the attributes that a new link and its peer share.
func attributeActions(w *words, a *LinkAttributes) actions {
	return w.segmentation(&a.Segmentation, actions{
		"up":          w.flag(&a.Up, true),
		"down":        w.flag(&a.Up, false),
		"name":        w.once(read(w, &a.Name, name)),
		"dev":         w.once(read(w, &a.Name, name)),
		"index":       w.once(read(w, &a.Index, between(1, math.MaxInt32))),
		"address":     read(w, &a.Address, hardwareAddress),
		"broadcast":   read(w, &a.Broadcast, hardwareAddress),
		"txqueuelen":  w.once(readTo(w, &a.TxQLen, integer)),
		"mtu":         w.once(readTo(w, &a.MTU, integer)),
		"netns":       w.once(read(w, &a.Netns, name)),
		"alias":       readTo(w, &a.Alias, text),
		"group":       w.once(readTo(w, &a.Group, groupNumber)),
		"numtxqueues": w.once(readTo(w, &a.NumTx, integer)),
		"numrxqueues": w.once(readTo(w, &a.NumRx, integer)),
	})
}

// segmentation adds the actions for limits of segmentation.
func (w *words) segmentation(s *Segmentation, do actions) actions {
	do["gso_max_size"] = w.once(readTo(w, &s.GSOMaxSize, natural))
	do["gso_max_segs"] = w.once(readTo(w, &s.GSOMaxSegs, natural))
	do["gro_max_size"] = w.once(readTo(w, &s.GROMaxSize, natural))
	return do
}

// parseAttributes reads words of linkWords. The link is named by `name X`, `dev X` or X alone; two different names are
// refused, as by iproute2.
func parseAttributes(w *words, a *LinkAttributes, more actions) error {
	var bare string
	do := attributeActions(w, a)
	do["dev"] = w.once(read(w, &bare, name))
	for keyword, act := range more {
		do[keyword] = act
	}
	err := linkWords.parse(w, do, func(word string) error {
		if word == "" || bare != "" {
			return linkWords.unknown(word)
		}
		bare = word
		return nil
	})
	switch {
	case err != nil:
		return err
	case bare != "" && a.Name != "" && bare != a.Name:
		return usage(bare, "the new link has the name %s already", a.Name)
	case bare != "":
		a.Name = bare
	}
	return nil
}

func parseLinkAdd(w *words) (Operation, error) {
	var op LinkAdd
	err := parseAttributes(w, &op.LinkAttributes, actions{
		"link":         read(w, &op.Link, name),
		"master":       read(w, &op.Master, name),
		"link-netnsid": w.once(readTo(w, &op.LinkNetnsID, integer)),
		"link-netns":   w.once(read(w, &op.LinkNetns, name)),
		"type": func(keyword string) error {
			if err := read(w, &op.Kind, name)(keyword); err != nil {
				return err
			}
			return op.parseKind(w)
		},
	})
	switch {
	case err != nil:
		return nil, err
	case op.Kind == "":
		return nil, usage("type", "a new link needs a kind")
	case op.LinkNetnsID != nil && op.LinkNetns != "":
		return nil, usage("link-netns", "link-netnsid is written already")
	}
	return op, nil
}

func parseLinkSet(w *words) (Operation, error) {
	var op LinkSet
	var group, altname string
	up := func(v bool) func(string) error {
		return func(string) error { op.Up = &v; return nil }
	}
	err := linkWords.with("altname!").parse(w, w.segmentation(&op.Segmentation, actions{
		"up":           up(true),
		"down":         up(false),
		"name":         read(w, &op.NewName, name),
		"dev":          w.once(read(w, &op.Name, name)),
		"mtu":          w.once(readTo(w, &op.MTU, integer)),
		"address":      read(w, &op.Address, hardwareAddress),
		"broadcast":    read(w, &op.Broadcast, hardwareAddress),
		"master":       readTo(w, &op.Master, name),
		"nomaster":     func(string) error { op.Master = new(string); return nil },
		"netns":        w.once(read(w, &op.Netns, name)),
		"txqueuelen":   w.once(readTo(w, &op.TxQLen, integer)),
		"alias":        readTo(w, &op.Alias, text),
		"altname":      w.once(read(w, &altname, name)),
		"group":        w.once(read(w, &group, groups.understand)),
		"arp":          readTo(w, &op.ARP, onOff),
		"promisc":      readTo(w, &op.Promisc, onOff),
		"allmulticast": readTo(w, &op.AllMulti, onOff),
		"multicast":    readTo(w, &op.Multicast, onOff),
		"carrier":      readTo(w, &op.Carrier, onOff),
		"protodown":    readTo(w, &op.Protodown, onOff),
		"mode":         readTo(w, &op.Mode, oneOf("default", "dormant")),
		"addrgenmode":  readTo(w, &op.AddrGenMode, oneOf("eui64", "none", "stable_secret", "random")),
		"type": func(keyword string) error {
			if err := read(w, &op.Kind, name)(keyword); err != nil {
				return err
			}
			return op.parseKind(w)
		},
	}), func(word string) error {
		if word == "" || op.Name != "" {
			return linkWords.unknown(word)
		}
		op.Name = word
		return nil
	})
	if err != nil {
		return nil, err
	}
	if group != "" {
		if op.Name == "" {
			op.Group = group
		} else {
			n, err := groupNumber("group", group)
			if err != nil {
				return nil, err
			}
			op.NewGroup = &n
		}
	}
	if altname != "" {
		return op.property(altname)
	}
	return op, nil
}

// with is the grammar with more keywords.
func (g grammar) with(text string) grammar {
	return append(g[:len(g):len(g)], newGrammar(text)...)
}

// property is the operation of `link set DEV altname NAME`, which cannot be combined with other changes.
func (op LinkSet) property(altname string) (Operation, error) {
	if !equal(op, LinkSet{Name: op.Name}) {
		return nil, &UnknownWord{Word: "altname"}
	}
	return LinkProperty{Name: op.Name, AltNames: []string{altname}}, nil
}

func parseLinkDelete(w *words) (Operation, error) {
	var op LinkDelete
	err := linkWords.parse(w, actions{
		"dev":  w.once(read(w, &op.Name, name)),
		"type": w.once(read(w, &op.Kind, name)),
	}, func(word string) error {
		if word == "" || op.Name != "" || op.Kind != "" {
			return linkWords.unknown(word)
		}
		op.Name = word
		return nil
	})
	if err != nil {
		return nil, err
	}
	return op, nil
}

var (
	propertyVerbs = newGrammar("add del")
	propertyWords = newGrammar("altname dev!")
)

func parseLinkProperty(w *words) (Operation, error) {
	var op LinkProperty
	verb, err := w.value("property")
	if err != nil {
		return nil, err
	}
	full, known := propertyVerbs.find(verb)
	if !known {
		return nil, propertyVerbs.unknown(verb)
	}
	op.Delete = full == "del"
	err = propertyWords.parse(w, actions{
		"dev": w.once(read(w, &op.Name, name)),
		"altname": func(keyword string) error {
			var altname string
			err := read(w, &altname, name)(keyword)
			op.AltNames = append(op.AltNames, altname)
			return err
		},
	}, func(word string) error {
		if word == "" || op.Name != "" {
			return propertyWords.unknown(word)
		}
		op.Name = word
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case op.Name == "":
		return nil, usage("property", "the name of the link is missing")
	case len(op.AltNames) == 0:
		return nil, usage("property", "an altname must follow")
	}
	return op, nil
}

func (a LinkAttributes) args() []string {
	var out argv
	out.word("name", a.Name)
	out.int("index", nonZeroOrNil(a.Index))
	out.common(a.MTU, a.Address, a.Broadcast, a.TxQLen, a.Alias, a.Netns)
	out.int("numtxqueues", a.NumTx)
	out.int("numrxqueues", a.NumRx)
	out.uint32("group", a.Group)
	out.segmentation(a.Segmentation)
	out.flag("up", a.Up)
	return out
}

// common adds the attributes that are written alike for a new and for an existing link.
func (out *argv) common(mtu *int, address, broadcast net.HardwareAddr, txqlen *int, alias *string, netns string) {
	out.int("mtu", mtu)
	out.word("address", address.String())
	out.word("broadcast", broadcast.String())
	out.int("txqueuelen", txqlen)
	out.text("alias", alias)
	out.word("netns", netns)
}

func (out *argv) segmentation(s Segmentation) {
	out.int("gso_max_size", s.GSOMaxSize)
	out.int("gso_max_segs", s.GSOMaxSegs)
	out.int("gro_max_size", s.GROMaxSize)
}

func (op LinkAdd) args() []string {
	out := argv{"link", "add"}
	out = append(out, op.LinkAttributes.args()...)
	out.word("link", op.Link)
	out.int("link-netnsid", op.LinkNetnsID)
	out.word("link-netns", op.LinkNetns)
	out.word("master", op.Master)
	out = append(out, "type", op.Kind)
	return append(out, op.kindArgs()...)
}

func (op LinkSet) args() []string {
	out := argv{"link", "set"}
	out.word("dev", op.Name)
	out.word("group", op.Group)
	out.choice("up", "down", op.Up)
	out.word("name", op.NewName)
	out.common(op.MTU, op.Address, op.Broadcast, op.TxQLen, op.Alias, op.Netns)
	out.uint32("group", op.NewGroup)
	if op.Master != nil && *op.Master == "" {
		out = append(out, "nomaster")
	} else {
		out.text("master", op.Master)
	}
	out.onOff("arp", op.ARP)
	out.onOff("promisc", op.Promisc)
	out.onOff("allmulticast", op.AllMulti)
	out.onOff("multicast", op.Multicast)
	out.onOff("carrier", op.Carrier)
	out.onOff("protodown", op.Protodown)
	out.text("mode", op.Mode)
	out.text("addrgenmode", op.AddrGenMode)
	out.segmentation(op.Segmentation)
	out.word("type", op.Kind)
	return append(out, op.kindArgs()...)
}

func (op LinkDelete) args() []string {
	out := argv{"link", "delete"}
	out.word("dev", op.Name)
	out.word("type", op.Kind)
	return out
}

func (op LinkProperty) args() []string {
	out := argv{"link", "property", "add", "dev", op.Name}
	if op.Delete {
		out[2] = "del"
	}
	for _, altname := range op.AltNames {
		out = append(out, "altname", altname)
	}
	return out
}
