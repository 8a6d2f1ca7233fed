package observe

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// resolvePeers gives every link that has another one below or opposite its name and namespace, and every namespace the
// names of those that it has ids for. Reading the links has made the ids that were missing; asking for them makes none.
// dangling says that a link points to one that was not there when its namespace was read.
func resolvePeers(all []*reading) (dangling bool, err error) {
	known := make([]map[int]int, len(all)) // per namespace: id → place in all
	for i, r := range all {
		ids, err := readNetnsIDs(r.route)
		if err != nil {
			return false, fmt.Errorf("read namespace ids of %s: %w", r.Name, err)
		}
		known[i] = map[int]int{}
		for _, j := range candidates(all, known, i, ids) {
			if len(known[i]) == len(ids) {
				break
			}
			id, err := netnsID(r.route, all[j].ns)
			if err != nil {
				return false, fmt.Errorf("read namespace id of %s in %s: %w", all[j].Name, r.Name, err)
			}
			if id >= 0 {
				known[i][id] = j
			}
		}
		for _, id := range ids {
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

// candidates are the places in all of the namespaces that may be behind the ids of namespace i, the likely ones first:
// those that know it themselves, which both ends of a veth pair do.
func candidates(all []*reading, known []map[int]int, i int, ids []int) []int {
	if len(ids) == 0 {
		return nil
	}
	var likely, rest []int
	for j := range all {
		knows := false
		for _, other := range known[j] {
			knows = knows || other == i
		}
		if knows {
			likely = append(likely, j)
		} else {
			rest = append(rest, j)
		}
	}
	return append(likely, rest...)
}

// refer is the link with the index in the namespace with the id, as seen from namespace i.
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

// netnsID is the id of the namespace whose nsfs file is open as fd, negative when it has none.
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
