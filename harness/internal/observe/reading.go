package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// Options select what to read.
type Options struct {
	// Filters adds the packet filters and the connections that they know.
	Filters bool
	// Brief leaves out what is slow and rarely needed: sysctls, queueing disciplines and their filters, listening
	// sockets, and which MAC addresses the kernel chose.
	Brief bool
}

// reading is a namespace that is being read: sockets are opened on a thread in the namespace, and then used from any
// thread.
type reading struct {
	state.Namespace
	do      enterer
	options Options
	route   *conversation // rtnetlink
	diag    *conversation // sock_diag
	// netfilter is nil unless packet filters are to be read and the kernel supports them.
	netfilter *conversation
	// connections is nil unless packet filters are to be read and there are connections.
	connections *conversation
	legacy      []legacyTable
	unreadable  []string       // for Unread
	ns          int            // its open nsfs file; 0 before that
	sysfs       int            // its open sysfs; 0 if not needed or forbidden
	files       []state.Sysctl // those that only files provide
	links       []*link
	names       map[int]string // of the links, by index
	// strange is set if a part refers to a link that is not among links: one that was added after those were read.
	strange bool
}

// enter opens, on a thread in the namespace, what is needed to read it from any thread, and reads what can only be read
// there.
func (r *reading) enter() error {
	var err error
	if r.route, err = open(unix.NETLINK_ROUTE); err != nil {
		return err
	}
	if r.options.Filters {
		r.openFilters()
		r.openConnections()
	}
	if r.ns, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open /proc/thread-self/ns/net: %w", err)
	}
	var file unix.Stat_t
	if err := unix.Fstat(r.ns, &file); err != nil {
		return fmt.Errorf("stat /proc/thread-self/ns/net: %w", err)
	}
	r.Inode = file.Ino
	if r.options.Brief {
		return nil
	}
	if r.diag, err = open(unix.NETLINK_SOCK_DIAG); err != nil {
		return err
	}
	r.sysfs = openSysfs()
	r.files, err = readSysctls()
	return err
}

// take enters the namespace and reads it, and leaves open what resolvePeers needs.
func (r *reading) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer r.release(&r.diag, &r.netfilter, &r.connections)
	if err := r.begin(); err != nil {
		return err
	}
	if err := r.read(); err != nil {
		return fmt.Errorf("read namespace %s: %w", r.Name, err)
	}
	return nil
}

// begin enters the namespace, unless it has done so before.
func (r *reading) begin() error {
	if r.route != nil {
		return nil
	}
	if err := inside(r.do, r.Name, r.enter); err != nil {
		return fmt.Errorf("read namespace %s: %w", r.Name, err)
	}
	return nil
}

// release closes what is needed for reading only: else 1,000 namespaces would keep 5,000 files open.
func (r *reading) release(conversations ...**conversation) {
	for _, c := range conversations {
		if *c != nil {
			(*c).close()
			*c = nil
		}
	}
	if r.sysfs > 0 {
		unix.Close(r.sysfs)
		r.sysfs = 0
	}
}

func (r *reading) close() {
	r.release(&r.route, &r.diag, &r.netfilter, &r.connections)
	if r.ns > 0 {
		unix.Close(r.ns)
		r.ns = 0
	}
}

// read reads everything, and reads it again if a part refers to a link that was added after the links were read, or if
// a link went meanwhile: what was read after its going lacks what belongs to it.
func (r *reading) read() error {
	for try := range patience {
		r.strange = false
		if err := r.parts(); err != nil {
			return err
		}
		if r.strange {
			continue
		}
		if gone := markRandomMACs(r.sysfs, r.links); !gone || try >= mostGone {
			return nil
		}
	}
	return errors.New("links keep changing")
}

// mostGone is how often a read is repeated because of links that went: a sysfs may lack one for good.
const mostGone = 5

func (r *reading) parts() (err error) {
	if r.links, err = readLinks(r.route); err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	r.names = make(map[int]string, len(r.links))
	switched := false // there is a bridge or a vxlan, which have forwarding entries
	bridged := false
	for _, l := range r.links {
		r.names[l.Index] = l.Name
		bridged = bridged || l.Kind == "bridge"
		switched = switched || l.Kind == "bridge" || l.Kind == "vxlan" || l.Port != nil
	}
	for _, part := range []struct {
		what   string
		wanted bool
		read   func() error
	}{
		{"sysctls", !r.options.Brief, r.readNetconf},
		{"addresses", true, r.readAddresses},
		{"routes", true, r.readRoutes},
		{"nexthop objects", true, r.readNexthopObjects},
		{"rules", true, r.readRules},
		{"neighbours", true, r.readNeighbours},
		{"queueing disciplines", !r.options.Brief, r.readQdiscs},
		{"filters of tc", !r.options.Brief, r.readTCFilters},
		{"forwarding entries", switched, r.readFDB},
		{"VLAN tables", bridged, r.readVLANs},
		{"listening sockets", !r.options.Brief, r.readListeners},
		{"sets of ipset", r.netfilter != nil && ipsetLoaded(), r.readIPSets},
		{"packet filters", r.options.Filters, r.readFilters},
		{"connections", r.connections != nil, r.readConnections},
	} {
		if !part.wanted {
			continue
		}
		if err := part.read(); err != nil {
			return fmt.Errorf("read %s: %w", part.what, err)
		}
	}
	r.followObjects()
	return nil
}

// name is the name of the link with this index, "" for index 0.
func (r *reading) name(index int) string {
	name, ok := r.names[index]
	if !ok && index != 0 {
		r.strange = true
		return fmt.Sprint("if", index)
	}
	return name
}

func (r *reading) link(index int) *link {
	i, there := slices.BinarySearchFunc(r.links, index, func(l *link, index int) int { return l.Index - index })
	if !there {
		return nil
	}
	return r.links[i]
}

// finish is the namespace as it was read.
func (r *reading) finish() state.Namespace {
	r.Unread = append(r.Unread, r.unreadable...)
	for _, l := range r.links {
		l.Master = r.name(l.master)
		r.Links = append(r.Links, l.Link)
		r.Sysctls = append(r.Sysctls, l.sysctls...)
	}
	return r.Namespace
}
