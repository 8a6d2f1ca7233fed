package observe

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// resolvePeers resolves the peer or lower link of each link to its name and namespace, and the namespace ids of each
// namespace to names. Reading the links has made the kernel assign missing ids; reading the ids does not. dangling is
// set if a link refers to one that did not exist when its namespace was read.
func resolvePeers(all []*reading) (dangling bool, err error) {
	ids := make([][]int, len(all))
	for i, r := range all {
		if ids[i], err = readNetnsIDs(r.route); err != nil {
			return false, fmt.Errorf("read namespace ids of %s: %w", r.Name, err)
		}
	}
	known, err := places(all, ids)
	if err != nil {
		return false, err
	}
	for i, r := range all {
		for _, id := range ids[i] {
			entry := state.NetnsID{ID: id}
			if j, ok := known[i][id]; ok {
				entry.Netns = all[j].Name
			}
			r.NetnsIDs = append(r.NetnsIDs, entry)
		}
	}
	for i, r := range all {
		for _, l := range r.links {
			l.Peer = refer(all, known, i, l.below, l.netns)
			dangling = dangling || l.Peer != nil && !l.Peer.Hidden && l.Peer.Name == ""
			if l.VXLAN != nil {
				if dev := refer(all, known, i, l.vxlanDev, l.netns); dev != nil {
					l.VXLAN.Dev = dev.Name
				}
			}
		}
	}
	return dangling, nil
}

// places maps, for each namespace, ids to indexes in all. The kernel reports the id of a given namespace (RTM_GETNSID),
// not the namespace of an id, so namespaces are tried in an order that finds them early: those with most ids first. The
// two ends of a veth pair have ids for each other, and the leaves of a star find its centre at once.
func places(all []*reading, ids [][]int) (known []map[int]int, err error) {
	known = make([]map[int]int, len(all)) // per namespace: id → place in all
	order, knownBy := make([]int, len(all)), make([][]int, len(all))
	for i := range all {
		order[i], known[i] = i, map[int]int{}
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(ids[b]) - len(ids[a]) })
	asked := make([]int, len(all)) // the last namespace that asked for this one, counted from 1
	for _, i := range order {
		ask := func(candidates []int) error {
			for _, j := range candidates {
				if len(known[i]) == len(ids[i]) {
					return nil
				}
				if asked[j] == i+1 {
					continue
				}
				asked[j] = i + 1
				id, err := netnsID(all[i].route, all[j].ns)
				if err != nil {
					return fmt.Errorf("read namespace id of %s in %s: %w", all[j].Name, all[i].Name, err)
				}
				if id >= 0 {
					known[i][id] = j
					knownBy[j] = append(knownBy[j], i)
				}
			}
			return nil
		}
		if err := ask(slices.Clone(knownBy[i])); err != nil {
			return nil, err
		}
		if err := ask(order); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// refer is the link with this index in the namespace with this id in namespace i.
func refer(all []*reading, known []map[int]int, i, index, id int) *state.LinkRef {
	if index == 0 {
		return nil
	}
	ref := &state.LinkRef{Index: index}
	j := i
	if id != ownNetns {
		var ok bool
		if j, ok = known[i][id]; !ok {
			ref.Hidden = true
			return ref
		}
	}
	ref.Netns = all[j].Name
	if l := all[j].link(index); l != nil {
		ref.Name = l.Name
	}
	return ref
}

// readNetnsIDs are the ids that a namespace has for others, sorted.
func readNetnsIDs(c *conversation) ([]int, error) {
	ids, err := dump(c, unix.RTM_GETNSID, make([]byte, 4), parseNetnsID)
	slices.Sort(ids)
	return ids, err
}

func parseNetnsID(body []byte) (int, bool) {
	id := unix.NETNSA_NSID_NOT_ASSIGNED
	if len(body) >= 4 { // struct rtgenmsg and its padding
		attributes(body[4:], func(kind uint16, data []byte) {
			if kind == unix.NETNSA_NSID && len(data) == 4 {
				id = int(int32(native.Uint32(data)))
			}
		})
	}
	return id, id >= 0
}

// netnsID is the id of the namespace whose nsfs file is open as fd, negative if it has none.
func netnsID(c *conversation, fd int) (int, error) {
	question := attribute(make([]byte, 4), unix.NETNSA_FD, native.AppendUint32(nil, uint32(fd)))
	id := unix.NETNSA_NSID_NOT_ASSIGNED
	err := c.ask(unix.RTM_GETNSID, 0, question, func(body []byte) {
		if found, ok := parseNetnsID(body); ok {
			id = found
		}
	})
	if errors.Is(err, unix.ENOENT) {
		return unix.NETNSA_NSID_NOT_ASSIGNED, nil
	}
	return id, err
}
