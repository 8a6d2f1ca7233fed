package operation

import "slices"

// Direct returns commands with the same effect as cmds that create the ends of veth pairs in the namespaces to which
// cmds moves them. Commands that only show something are left out. It is for commands that are known to succeed: it
// does not know the state before them, and if one of them is refused, the result may be refused at another command.
//
// A move is folded into the creation if no command between them depends on the place or the name of the end. So no
// setting can be lost that the move would clear.
func Direct(cmds []Command) []Command {
	var out []Command
	ownIndexes := slices.ContainsFunc(cmds, choosesIndex)
	for _, c := range cmds {
		if !Mutates(c) {
			continue
		}
		if i, add, ok := fold(out, c); ok && !ownIndexes {
			out[i].Op = add
			continue
		}
		out = append(out, c)
	}
	return out
}

// choosesIndex reports whether the author chose the index of a link. Links created in other namespaces could have taken
// it.
func choosesIndex(c Command) bool {
	add, ok := c.Op.(LinkAdd)
	return ok && (add.Index != 0 || add.Peer != nil && add.Peer.Index != 0)
}

// place is a link's name and namespace.
type place struct{ netns, name string }

// fold finds the creation of the veth end that the command moves. It returns its position and its replacement.
func fold(cmds []Command, c Command) (int, LinkAdd, bool) {
	move, ok := c.Op.(LinkSet)
	if !ok || !movesOnly(move) || move.Netns == c.Netns || isNumber(move.Netns) {
		return 0, LinkAdd{}, false
	}
	from := place{c.Netns, move.Name}
	to := place{move.Netns, move.Name}
	if move.NewName != "" {
		to.name = move.NewName
	}
	for i := len(cmds) - 1; i >= 0; i-- {
		add, ok := cmds[i].Op.(LinkAdd)
		if !ok || !creates(cmds[i], from) {
			if !independent(cmds[i], from, to) {
				return 0, LinkAdd{}, false
			}
			continue
		}
		before := standing(cmds[:i])
		if !before.allows(from, to) {
			return 0, LinkAdd{}, false
		}
		// Before Linux 6.15 the first end's name is looked up where the command is given, too (ec061546c6cf).
		if first := ends(cmds[i].Netns, add)[0]; first == from && before.links[place{cmds[i].Netns, to.name}] {
			return 0, LinkAdd{}, false
		}
		add, ok = placed(cmds[i].Netns, add, from, to)
		return i, add, ok
	}
	return 0, LinkAdd{}, false
}

// movesOnly reports whether the command only moves a link, perhaps with a new name.
func movesOnly(op LinkSet) bool {
	return op.Name != "" && op.Netns != "" && equal(op, LinkSet{Name: op.Name, Netns: op.Netns, NewName: op.NewName})
}

// isNumber reports whether the word may be a process id, that is a namespace whose name is unknown.
func isNumber(netns string) bool {
	_, ok := number(netns, 0, 1<<62)
	return ok
}

// ends are the places of the links that a command creates; that of the peer is the second.
func ends(netns string, add LinkAdd) []place {
	at := func(a LinkAttributes) place {
		if a.Netns != "" {
			return place{a.Netns, a.Name}
		}
		return place{netns, a.Name}
	}
	list := []place{at(add.LinkAttributes)}
	if add.Peer != nil {
		list = append(list, at(*add.Peer))
	}
	return list
}

func creates(c Command, link place) bool {
	add, ok := c.Op.(LinkAdd)
	return ok && slices.Contains(ends(c.Netns, add), link)
}

// placed is the creation with one end at another place. That is impossible for an end that depends on other links of
// its namespace, whose name the kernel chooses, or that is up, because a move takes it down.
func placed(netns string, add LinkAdd, from, to place) (LinkAdd, bool) {
	if add.Kind != "veth" || add.Peer == nil || add.Name == "" || add.Peer.Name == "" || add.Link != "" ||
		add.Master != "" {
		return add, false
	}
	peer := *add.Peer
	add.Peer = &peer
	both := ends(netns, add)
	end := &add.LinkAttributes
	if both[0] != from {
		end = &peer
	}
	if both[0] == both[1] || end.Up {
		return add, false
	}
	end.Netns, end.Name = to.netns, to.name
	both = ends(netns, add)
	return add, both[0] != both[1]
}

// independent reports whether the command has the same effect with the link at either place. In doubt it is false.
func independent(c Command, from, to place) bool {
	for _, link := range []string{from.name, to.name} {
		if slices.Contains(Links(c.Op), link) {
			return false
		}
	}
	switch op := c.Op.(type) {
	case NetnsAdd:
		// The namespace must exist when the link is created.
		return op.Name != to.netns
	case LinkAdd:
		// A name chosen by the kernel depends on the names in use.
		return op.Name != "" && (op.Kind != "veth" || op.Peer != nil && op.Peer.Name != "")
	case LinkSet:
		return op.Name != ""
	case LinkProperty, AddressChange, RouteChange, RuleChange, NeighbourChange:
		return true
	case AddressFlush:
		return op.Dev != ""
	}
	// Deletions may delete the other end too, flushes and programs may affect the link, the kernel also assigns
	// namespace ids when a pair crosses namespaces, and sysctls may be defaults for new links.
	return false
}

// Links are the names of the links in an operation, some of them "". Show is not examined.
func Links(op Operation) []string {
	switch op := op.(type) {
	case LinkAdd:
		list := []string{op.Name, op.Link, op.Master}
		if op.Peer != nil {
			list = append(list, op.Peer.Name)
		}
		if op.VXLAN != nil {
			list = append(list, op.VXLAN.Dev)
		}
		return list
	case LinkSet:
		list := []string{op.Name, op.NewName}
		if op.Master != nil {
			list = append(list, *op.Master)
		}
		return list
	case LinkProperty:
		return append([]string{op.Name}, op.AltNames...)
	case LinkDelete:
		return []string{op.Name}
	case AddressChange:
		return []string{op.Dev}
	case AddressFlush:
		return []string{op.Dev}
	case RouteFlush:
		return []string{op.Filter.Dev}
	case NeighbourFlush:
		return []string{op.Dev}
	case RouteChange:
		list := []string{op.Route.Dev}
		for _, hop := range op.Route.Nexthops {
			list = append(list, hop.Dev)
		}
		return list
	case RuleChange:
		return []string{op.Rule.IIf, op.Rule.OIf}
	case NeighbourChange:
		return []string{op.Dev}
	}
	return nil
}

// known is the result of a list of commands: existing links and deleted namespaces.
type known struct {
	links map[place]bool
	gone  map[string]bool
}

// standing follows the names of links. A link deleted along with its peer or namespace is kept, which is stricter.
func standing(cmds []Command) known {
	k := known{links: map[place]bool{}, gone: map[string]bool{}}
	for _, c := range cmds {
		switch op := c.Op.(type) {
		case NetnsAdd:
			delete(k.gone, op.Name)
		case NetnsDelete:
			k.gone[op.Name] = true
		case LinkAdd:
			for _, end := range ends(c.Netns, op) {
				k.links[end] = true
			}
		case LinkDelete:
			delete(k.links, place{c.Netns, op.Name})
		case LinkSet:
			k.move(c.Netns, op)
		case LinkProperty:
			for _, altname := range op.AltNames {
				k.links[place{c.Netns, altname}] = true
			}
		}
	}
	return k
}

func (k known) move(netns string, op LinkSet) {
	old := place{netns, op.Name}
	now := old
	if op.Netns != "" {
		now.netns = op.Netns
	}
	if op.NewName != "" {
		now.name = op.NewName
	}
	if now != old {
		delete(k.links, old)
		k.links[now] = true
	}
}

// allows reports whether a link that is created at one place and moved to another can be created at the second
// directly: both names are free, so that no refusal is hidden or added, and the namespace exists.
func (k known) allows(from, to place) bool {
	return !k.links[from] && !k.links[to] && !k.gone[to.netns]
}
