package operation

import "slices"

// Direct is a list of commands with the same effect as the given one, in which the ends of veth pairs are created in
// the namespace into which they would be moved. What only shows something is left out. It is for lists that are known
// to succeed: it does not know what was there before, and where a command of the list would be refused the result may
// be refused at another place.
//
// A move is folded into the creation when nothing between depends on where the end is or on its name, so nothing can
// have been set at the end that a move would clear.
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

// choosesIndex says whether a link gets an index of the author's choice. Others that were created elsewhere could have
// taken it.
func choosesIndex(c Command) bool {
	add, ok := c.Op.(LinkAdd)
	return ok && (add.Index != 0 || add.Peer != nil && add.Peer.Index != 0)
}

// place is a link's name and namespace.
type place struct{ netns, name string }

// fold looks for the creation of the veth end that the command moves. It returns its position and what it becomes.
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
		add, ok = placed(cmds[i].Netns, add, from, to)
		return i, add, ok
	}
	return 0, LinkAdd{}, false
}

// movesOnly says whether the command does nothing but move one link, perhaps under another name.
func movesOnly(op LinkSet) bool {
	return op.Name != "" && op.Netns != "" && equal(op, LinkSet{Name: op.Name, Netns: op.Netns, NewName: op.NewName})
}

// isNumber says whether the word may be a process id, that is a namespace whose name is not known.
func isNumber(netns string) bool {
	_, ok := number(netns, 0, 1<<62)
	return ok
}

// ends are the places of the links that a command creates, with the peer's second.
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

// placed is the creation with one end put to another place. It is not possible for an end that depends on other links
// of its namespace, or whose name the kernel chooses, or that is up: a move takes an end down.
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

// independent says whether the command does the same wherever the link is of the two places. When in doubt it is not.
func independent(c Command, from, to place) bool {
	for _, link := range []string{from.name, to.name} {
		if slices.Contains(Links(c.Op), link) {
			return false
		}
	}
	switch op := c.Op.(type) {
	case NetnsAdd:
		// The namespace has to be there when the link is created.
		return op.Name != to.netns
	case LinkAdd:
		// A name that the kernel chooses depends on the names that are taken.
		return op.Name != "" && (op.Kind != "veth" || op.Peer != nil && op.Peer.Name != "")
	case LinkSet:
		return op.Name != ""
	case LinkProperty, AddressChange, RouteChange, RuleChange, NeighbourChange:
		return true
	case AddressFlush:
		return op.Dev != ""
	}
	// Deletions may take the other end along, flushes and programs may reach the link, namespace ids are also given
	// when a pair crosses namespaces, and sysctls are defaults of the links to come.
	return false
}

// Links are the names of links that an operation mentions, some of them "". What is shown is not looked into.
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

// known is what a list of commands leaves: links that stand, and namespaces that are gone.
type known struct {
	links map[place]bool
	gone  map[string]bool
}

// standing follows the names of links. A link that goes with its peer or its namespace is kept, which forbids more.
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

// allows says whether a link that was created at one place and then put to another can be created there at once:
// neither name was taken, so no refusal is hidden and none is new, and the namespace is there.
func (k known) allows(from, to place) bool {
	return !k.links[from] && !k.links[to] && !k.gone[to.netns]
}
