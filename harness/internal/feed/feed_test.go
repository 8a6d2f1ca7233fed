package feed

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
	"netnscheck/harness/state/changes"
)

// kinds are those of a change, by namespace.
type kinds map[string]changes.Kinds

// TestKinds: each command changes what it says, in the namespace where it does so.
func TestKinds(t *testing.T) {
	needs(t, "ip", "bridge", "tc", "nft", "sysctl")
	l := newLab(t, "testns", "prodns", "quiet")
	for _, c := range []struct {
		line    string
		want    kinds
		require string
	}{
		{"true", nil, ""},
		{"ip -n testns address; ip netns exec testns true; ip netns list; ip -all netns exec true", nil, ""},
		{"ip link add eth7 type veth peer name eth8", kinds{state.Host: changes.Links}, ""},
		{"ip link add va type veth peer name vb netns testns",
			kinds{state.Host: changes.Links, "testns": changes.Links},
			""},
		{"ip -n testns address add 10.1.0.1/24 dev vb", kinds{"testns": changes.Addresses}, ""},
		{"ip -n testns address add fd00::1/64 dev vb nodad", kinds{"testns": changes.Addresses}, ""},
		{"ip link set va up", kinds{state.Host: changes.Links, "testns": 0}, ""},
		{"ip -n testns link set vb up", kinds{state.Host: changes.Links, "testns": changes.Links | changes.Routes}, ""},
		{"ip -n testns route add 10.2.0.0/24 via 10.1.0.2", kinds{"testns": changes.Routes}, ""},
		{"ip -n testns -6 route add fd01::/64 via fd00::2", kinds{"testns": changes.Routes}, ""},
		{"ip -n testns rule add from 10.3.0.0/24 table 100", kinds{"testns": changes.Rules}, ""},
		{"ip -n testns -6 rule add from fd03::/64 table 100", kinds{"testns": changes.Rules}, ""},
		{"ip -n testns neighbour add 10.1.0.9 lladdr 02:00:00:00:00:09 dev vb", kinds{"testns": changes.Neighbours},
			""},
		{"ip -n testns nexthop add id 7 via 10.1.0.2 dev vb", kinds{"testns": changes.Nexthops}, ""},
		{"ip -n prodns link add br0 type bridge", kinds{"prodns": changes.Links}, ""},
		{"ip -n prodns link add p0 master br0 type veth peer name p1", kinds{"prodns": changes.Links}, ""},
		{"bridge -n prodns fdb add 02:00:00:00:00:01 dev p0 master static", kinds{"prodns": changes.Forwarding}, ""},
		{"ip -n prodns link set br0 type bridge vlan_filtering 1", kinds{"prodns": changes.Links},
			"bridge-vlan-filtering"},
		{"bridge -n prodns vlan add vid 10 dev p0", kinds{"prodns": changes.Links}, "bridge-vlan-filtering"},
		{"ip -n prodns link set br0 up && ip -n prodns link set p0 up && ip -n prodns link set p1 up",
			kinds{"prodns": changes.Links}, ""},
		{"bridge -n prodns mdb add dev br0 port p0 grp 239.1.1.1 permanent", kinds{"prodns": changes.Forwarding},
			""},
		{"ip netns exec prodns sysctl -w net.ipv4.ip_forward=1", kinds{"prodns": changes.Settings}, ""},
		{"ip netns exec prodns sysctl -w net.ipv4.conf.p0.rp_filter=2", kinds{"prodns": changes.Settings}, ""},
		{"tc -n prodns qdisc add dev p0 root pfifo", kinds{"prodns": changes.Queueing}, ""},
		{"ip netns exec prodns nft add table ip t", kinds{"prodns": changes.Filters}, "nftables"},
		{"ip netns add third", kinds{"third": changes.Names}, ""},
		{"ip -n third link set lo up", kinds{"third": changes.Links | changes.Addresses | changes.Routes}, ""},
		{"ip netns set third 42", kinds{state.Host: changes.IDs}, ""},
		{"ip link set eth7 netns third", kinds{state.Host: changes.Links, "third": changes.Links}, ""},
		{"ip netns del third; until ! ip link show eth8 >/dev/null 2>&1; do :; done",
			kinds{"third": changes.Names, state.Host: changes.Links}, ""},
		{"touch /run/netns/stray", kinds{"stray": changes.Names}, ""},
		{"rm /run/netns/stray", kinds{"stray": changes.Names}, ""},
	} {
		if c.require != "" && !has(t, c.require) {
			continue
		}
		l.run(c.line)
		got := l.f.Take()
		l.await(&got, c.line, c.want) // a link's carrier and an IPv6 address come in the kernel's own time
		if got.Everything {
			t.Errorf("%s: %v", c.line, got)
		}
		for ns, kinds := range got.Kinds {
			if ns == "quiet" || c.want == nil { // elsewhere there is also what the kernel does later
				t.Errorf("%s: a change of %v in %s", c.line, kinds, ns)
			}
		}
	}
}

// await adds to what was heard until it has all that is wanted.
func (l *lab) await(got *changes.Change, line string, want kinds) {
	l.Helper()
	late := time.After(time.Minute)
	for ns, kinds := range want {
		for kinds&^got.Kinds[ns] != 0 {
			select {
			case more := <-l.f.Changes():
				got.Add(more)
			case <-late:
				l.Fatalf("%s: nothing about %v in %s; it said: %v", line, kinds&^got.Kinds[ns], ns, got)
			}
		}
	}
}

// TestDeleted: while the feed is open, also with a hearer, a namespace ends with its name, and takes the link in it and
// that link's peer along. A namespace that is opened, for comparison, does not.
func TestDeleted(t *testing.T) {
	needs(t, "ip")
	l := newLab(t, "testns")
	heard := l.f.Hear("testns")
	defer heard.Close()
	l.run("ip link add va type veth peer name vb netns testns && ip -n testns link set vb up")
	l.f.Take()
	l.run("ip netns del testns")
	seen := changes.Change{}
	// a feed that keeps the namespace alive waits until the test times out
	for !seen.Kinds[state.Host].Has(changes.Links) {
		seen.Add(<-l.f.Changes())
	}
	if !seen.Kinds["testns"].Has(changes.Names) {
		t.Errorf("testns was deleted: %v", seen)
	}
	if links := l.run("ip -o link show type veth"); links != "" {
		t.Errorf("after the peer has gone with its namespace: %s", links)
	}
}

// TestIDs: the feed tells the namespaces apart by ids that none of them sees.
func TestIDs(t *testing.T) {
	needs(t, "ip")
	l := newLab(t)
	l.run("ip netns add testns && ip netns add prodns && ip netns set prodns 5")
	const ask = `ip netns list-id; for n in testns prodns; do ip -n $n netns list-id; done; ls /run/netns`
	before := l.run(ask)
	l.f.Take()
	l.run("ip -n testns link set lo up")
	if c := l.f.Take(); !c.Kinds["testns"].Has(changes.Links) {
		t.Fatalf("the feed has no id for testns: %v", c)
	}
	if after := l.run(ask); after != before || !strings.HasPrefix(before, "nsid 5 ") ||
		strings.Count(before, "nsid") != 1 {
		t.Errorf("the ids are\n%s\nafter the feed has given its own; before\n%s", after, before)
	}
}

// TestNames: a name is known by all ways of getting and losing it, and again for another namespace, whose inode is
// often that of the one before.
func TestNames(t *testing.T) {
	needs(t, "ip", "unshare", "mount")
	l := newLab(t)
	up := func(what, name string) {
		t.Helper()
		l.f.Take()
		l.run("ip -n " + name + " link set lo up")
		if c := l.f.Take(); !c.Kinds[name].Has(changes.Links) {
			t.Errorf("%s: a change in %s was not told: %v", what, name, c)
		}
	}
	for i := range 20 {
		l.run("ip netns add again")
		up(fmt.Sprint("made for the time ", i+1), "again")
		l.run("ip netns del again")
	}
	l.run("sh -c 'unshare -n sh -c \"echo > /run/ready; exec sleep 1000\" >/dev/null 2>&1 & echo $! > /run/pid'" +
		"; until [ -e /run/ready ]; do :; done; ip netns attach taken $(cat /run/pid)")
	up("the namespace of a process", "taken")
	l.run("ln -s taken /run/netns/alias && ip -n taken link set lo down")
	up("a symbolic link", "alias")
	l.run("ip -n taken link set lo down")
	if c := l.f.Take(); !c.Kinds["taken"].Has(changes.Links) || !c.Kinds["alias"].Has(changes.Links) {
		t.Errorf("a namespace with two names: %v", c)
	}
	l.run("touch /run/netns/late")
	l.f.Take()
	l.run("unshare -n mount --bind /proc/self/ns/net /run/netns/late") // what `ip netns add` does last
	if c := l.f.Take(); !c.Kinds["late"].Has(changes.Names) {
		t.Errorf("a mount on an entry: %v", c)
	}
	up("a mount on an entry", "late")
	l.run("umount /run/netns/late")
	if c := l.f.Take(); !c.Kinds["late"].Has(changes.Names) {
		t.Errorf("the entry is a file again: %v", c)
	}
	l.run("rm /run/netns/alias; ip netns del taken; kill $(cat /run/pid)")
	if c := l.f.Take(); !c.Kinds["taken"].Has(changes.Names) || !c.Kinds["alias"].Has(changes.Names) {
		t.Errorf("two names are gone: %v", c)
	}
}

// TestNamesThatLeadElsewhere: a link in /run/netns may lead anywhere, and keeps nothing else from being heard.
func TestNamesThatLeadElsewhere(t *testing.T) {
	l := newLab(t, "testns")
	l.run("mkfifo /run/pipe; mkdir /run/folder; ln -s loop /run/netns/loop; ln -s /run/pipe /run/netns/pipe; " +
		"ln -s /run/folder /run/netns/folder; ln -s /dev/null /run/netns/null; ln -s /dev/tty /run/netns/tty; " +
		"ln -s /etc/passwd/in /run/netns/in-a-file; ln -s $(printf %0300d 1) /run/netns/long; " +
		"ln -s /proc/1/ns/mnt /run/netns/mounts; ln -s /proc/self/mem /run/netns/memory; ln -s x '/run/netns/a\nb'")
	err := l.w.InMounts(func() error { // open(2) of a socket fails with ENXIO
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: "/run/socket"}),
			os.Symlink("/run/socket", "/run/netns/socket"))
	})
	if err != nil {
		t.Fatal(err)
	}
	l.f.Take()
	setLo(t, l.w, "testns", true)
	if c := l.f.Take(); !c.Kinds["testns"].Has(changes.Links) || l.f.Err() != nil {
		t.Errorf("%v, %v", c, l.f.Err())
	}
}

// TestWakesForItsOwnAlone: what changes in other labs wakes nobody, nor does time: a feed waits for the kernel alone.
func TestWakesForItsOwnAlone(t *testing.T) {
	l, other := newLab(t, "testns"), newLab(t, "testns")
	l.f.Take()
	wakeups, reads := l.f.wakeups.Load(), l.f.reads.Load()
	for range 20 {
		setLo(t, other.w, "testns", true)
		setLo(t, other.w, "testns", false)
		setLo(t, other.w, netns.Host, false)
		setLo(t, other.w, netns.Host, true)
	}
	if err := other.w.Add("more"); err != nil {
		t.Fatal(err)
	}
	if err := other.w.Delete("more"); err != nil {
		t.Fatal(err)
	}
	if c := other.f.Take(); !c.Any() {
		t.Error("the other feed heard nothing")
	}
	if w, r := l.f.wakeups.Load(), l.f.reads.Load(); w != wakeups || r != reads {
		t.Errorf("the feed of a lab in which nothing changed woke up %d times and received %d datagrams", w-wakeups,
			r-reads)
	}
	if c := l.f.Take(); c.Any() {
		t.Errorf("nothing changed: %v", c)
	}
	if w := l.f.wakeups.Load(); w != wakeups+1 {
		t.Errorf("to be asked woke it up %d times", w-wakeups)
	}
}

// TestFlood: changes without a pause are told while they go on.
func TestFlood(t *testing.T) {
	l := newLab(t, "testns")
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for up := true; ; up = !up {
			select {
			case <-stop:
				return
			default:
				setLo(t, l.w, "testns", up)
			}
		}
	}()
	for range 3 {
		if c := <-l.f.Changes(); !c.Kinds["testns"].Has(changes.Links) && !c.Everything {
			t.Errorf("in a flood of links: %v", c)
		}
	}
	close(stop)
	<-ended
}

// TestNeverQuiet: a burst that does not end is told all the same.
func TestNeverQuiet(t *testing.T) {
	f := &Feed{dirty: make(chan struct{}, 1), done: make(chan struct{})}
	told := make(chan bool)
	go func() { told <- f.burst() }()
	for {
		select {
		case open := <-told:
			if !open {
				t.Error("it was told that the feed is closed")
			}
			return
		default:
			f.stir()
		}
	}
}

// TestJoined: changes for which nobody waits are told as one, and once.
func TestJoined(t *testing.T) {
	l := newLab(t, "testns", "prodns")
	for _, ns := range []string{"testns", "prodns"} {
		for range 10 {
			setLo(t, l.w, ns, true)
			setLo(t, l.w, ns, false)
		}
	}
	l.f.sync()
	if c := <-l.f.Changes(); !slices.Equal(c.Netns(), []string{"prodns", "testns"}) {
		t.Errorf("changes in two namespaces: %v", c)
	}
	if c := l.f.Take(); c.Any() {
		t.Errorf("told a second time: %v", c)
	}
}

// TestHeard: what the kernel tells is counted by its kind, whoever takes it.
func TestHeard(t *testing.T) {
	l := newLab(t, "testns")
	before, other := l.f.Heard(changes.Links), l.f.Heard(changes.Rules|changes.Names)
	if again := l.f.Heard(changes.Links); again != before {
		t.Errorf("it grew from %d to %d by itself", before, again)
	}
	setLo(t, l.w, "testns", true)
	l.f.Take()
	up := l.f.Heard(changes.Links | changes.Rules)
	if up <= before {
		t.Errorf("a link that came up: %d, before it %d", up, before)
	}
	if now := l.f.Heard(changes.Rules | changes.Names); now != other {
		t.Errorf("rules and names: %d, before %d", now, other)
	}
	if err := l.w.Add("new"); err != nil {
		t.Fatal(err)
	}
	if now := l.f.Heard(changes.Names); now == 0 {
		t.Error("a new name was not counted")
	}
}

// TestClose: a closed feed has no more changes, and can still be asked.
func TestClose(t *testing.T) {
	l := newLab(t)
	l.f.Close()
	if c, open := <-l.f.Changes(); open {
		t.Errorf("after its end: %v", c)
	}
	if c := l.f.Take(); c.Any() {
		t.Errorf("after its end: %v", c)
	}
	l.f.Close()
	if err := l.f.Err(); err != nil {
		t.Error(err)
	}
}

// TestApart: the namespace that hears has no name, and the programs of the lab see neither it nor a socket of it.
func TestApart(t *testing.T) {
	needs(t, "ip", "sh")
	l := newLab(t)
	var own unix.Stat_t
	if err := l.w.Apart(func() error { return unix.Stat("/proc/thread-self/ns/net", &own) }); err != nil {
		t.Fatal(err)
	}
	if seen := l.run("ls -l /proc/[0-9]*/ns/net 2>/dev/null | grep -c 'net:\\[' || true"); seen == "0" {
		t.Fatal("the programs see no namespace at all")
	}
	inode := observerOf(t, l.f)
	if seen := l.run(fmt.Sprintf("ls -l /proc/[0-9]*/ns/net 2>/dev/null | grep 'net:\\[%d\\]' || true",
		inode)); seen != "" {
		t.Errorf("the programs see the observer: %s", seen)
	}
}

// observerOf is the inode of the namespace in which a feed hears (SIOCGSKNS, Linux 4.9).
func observerOf(t *testing.T, f *Feed) uint64 {
	t.Helper()
	const getNamespace = 0x894C // SIOCGSKNS
	ns, err := unix.IoctlRetInt(f.routes, getNamespace)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ns)
	var st unix.Stat_t
	if err := unix.Fstat(ns, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}
