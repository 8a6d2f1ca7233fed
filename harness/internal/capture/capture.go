// Package capture records the packets on all links in the namespaces of a lab, and makes a pcapng file of them. It may
// be imported by lab. It sends nothing, changes nothing, and enters namespaces only by their World. An open socket
// keeps a namespace alive: that of a namespace whose name is gone is closed when During is called next.
package capture

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/term"
)

// The limits of a recording, in bytes: of a packet, of what is said of it, and of all together as they stand in the
// file.
const (
	snapLength = 2 << 10
	longest    = 200
	mostBytes  = 1 << 20
)

// Capture records from Start to Stop. Its methods are called by one goroutine.
type Capture struct {
	world   *netns.World
	sockets map[string]*socket // by the namespace's name
	failed  map[string]string  // why a namespace is not recorded, by its name

	mu      sync.Mutex // guards what the receivers of the sockets write
	packets []packet
	size    int // of the packets in the file
	left    int // how many had no room
	phases  []phase
	dropped map[string]int // by the kernel, before they could be read, by namespace
}

// packet is one packet as a link had it.
type packet struct {
	at     time.Time
	link   link
	out    bool // it left by the link
	length int  // of the whole
	data   []byte
}

// link is a link under one name, with the form in which its packets are written.
type link struct {
	name string // with the namespace: testns/eth0
	form form
}

// phase is what happens from a time on.
type phase struct {
	since time.Time
	what  string
}

// Recording is what was recorded.
type Recording struct {
	PCAPNG []byte
	// Remarks say what of the packets is missing, a sentence each.
	Remarks []string
}

// Start begins to record. what is what happens from now on, for the comments of packets.
func Start(w *netns.World, what string) (*Capture, error) {
	c := &Capture{world: w, sockets: map[string]*socket{}, failed: map[string]string{}, dropped: map[string]int{},
		phases: []phase{{time.Now(), untrusted.Cut(what, longest)}}}
	if err := c.join(netns.Host); err != nil {
		return nil, fmt.Errorf("record the packets of lab %s: %w", w.ID(), err)
	}
	c.follow()
	return c, nil
}

// During notes what happens from now on, until the next call. Namespaces that are new are recorded from now on.
func (c *Capture) During(what string) {
	c.follow()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sockets {
		clear(s.names) // links may have new ones
	}
	c.phases = append(c.phases, phase{time.Now(), untrusted.Cut(what, longest)})
}

// follow joins the namespaces that have a name now, and leaves those that have none any more.
func (c *Capture) follow() {
	inodes, err := c.world.Inodes()
	if err != nil {
		c.failed["new namespaces"] = err.Error()
		return
	}
	for name, s := range c.sockets {
		if inode, there := inodes[name]; name != netns.Host && (!there || inode != s.inode) {
			c.leave(name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(inodes)) {
		if c.sockets[name] != nil || c.known(inodes[name]) {
			continue
		}
		if err := c.join(name); err != nil {
			c.failed["namespace "+name] = err.Error()
		}
	}
}

// known reports whether a namespace is recorded under another name. A symbolic link, which has no inode here, is taken
// for one.
func (c *Capture) known(inode uint64) bool {
	for _, s := range c.sockets {
		if s.inode == inode {
			return true
		}
	}
	return inode == 0
}

func (c *Capture) join(name string) error {
	h, err := c.world.Open(name)
	if err != nil {
		return err
	}
	defer h.Close()
	var s *socket
	if err := c.world.DoIn(h, func() (err error) { s, err = open(name, c.add); return err }); err != nil {
		return err
	}
	s.inode = h.Inode()
	c.sockets[name] = s
	return nil
}

func (c *Capture) leave(name string) {
	if n := c.sockets[name].close(); n > 0 {
		c.dropped[name] += n
	}
	delete(c.sockets, name)
}

// add takes one packet. It is called by the receivers.
func (c *Capture) add(s *socket, p packet, index int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := p.room() + len(c.phases[len(c.phases)-1].what)
	if c.size+room > mostBytes {
		c.left++
		return
	}
	c.size += room
	p.link.name = s.netns + "/" + s.nameOf(index)
	p.data = slices.Clone(p.data)
	c.packets = append(c.packets, p)
}

// Stop ends the recording.
func (c *Capture) Stop() (Recording, error) {
	links := c.links()
	for _, name := range slices.Sorted(maps.Keys(c.sockets)) {
		c.leave(name)
	}
	slices.SortStableFunc(c.packets, func(a, b packet) int { return a.at.Compare(b.at) })
	for _, p := range c.packets {
		links = append(links, p.link)
	}
	r := Recording{Remarks: c.remarks()}
	var err error
	r.PCAPNG, err = write(links, c.packets, c.during, r.Remarks)
	return r, err
}

// links are those that there are now, whether packets came by or not.
func (c *Capture) links() (links []link) {
	for name, s := range c.sockets {
		err := c.world.Do(name, func() error {
			all, err := s.links()
			links = append(links, all...)
			return err
		})
		if err != nil {
			c.failed["the links of "+name] = err.Error()
		}
	}
	return links
}

// during is what happened at a time.
func (c *Capture) during(t time.Time) string {
	i, _ := slices.BinarySearchFunc(c.phases, t, func(p phase, t time.Time) int { return p.since.Compare(t) })
	return c.phases[max(0, i-1)].what
}

// remarks say what is missing.
func (c *Capture) remarks() (all []string) {
	cut := 0
	for _, p := range c.packets {
		if len(p.data) < p.length {
			cut++
		}
	}
	if cut > 0 {
		all = append(all, fmt.Sprintf("%s cut to %d bytes", were(cut), snapLength))
	}
	if c.left > 0 {
		all = append(all, fmt.Sprintf("%s left out: a recording has at most %d KiB", were(c.left), mostBytes>>10))
	}
	for _, name := range slices.Sorted(maps.Keys(c.dropped)) {
		all = append(all, fmt.Sprintf("%s dropped in namespace %s before they could be read", were(c.dropped[name]),
			name))
	}
	for _, what := range slices.Sorted(maps.Keys(c.failed)) {
		all = append(all, fmt.Sprintf("%s not recorded: %s", what, c.failed[what]))
	}
	return all
}

func were(n int) string {
	if n == 1 {
		return "1 packet was"
	}
	return term.Count(n, "packet") + " were"
}
