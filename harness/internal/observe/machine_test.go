package observe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// machineOf reads the machine as a process in the host of a lab sees it.
func machineOf(t testing.TB, w *netns.World, o MachineOptions) *state.State {
	t.Helper()
	var s *state.State
	err := w.Do(netns.Host, func() (err error) {
		s, err = Machine(t.Context(), o)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sleeper is a process in a namespace of a lab.
func sleeper(t testing.TB, w *netns.World, ns string) int {
	t.Helper()
	needs(t, "sleep")
	cmd := exec.Command("sleep", "1000")
	if err := w.Do(ns, cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process.Pid
}

func names(s *state.State) (all []string) {
	for _, n := range s.Namespaces {
		all = append(all, n.Name)
	}
	return all
}

func TestMachineIsTheLabSeenFromInside(t *testing.T) {
	w := rich(t)
	got, want := machineOf(t, w, MachineOptions{}), observed(t, w)
	equal(t, got.Normal(), want.Normal())
	for i := range got.Namespaces {
		equal(t, got.Namespaces[i].Inode, want.Namespaces[i].Inode)
	}
}

func TestMachineFiltersOnDemand(t *testing.T) {
	w := newWorld(t, "a")
	load(t, w, "a", "table ip t {\nchain c {\ntype filter hook input priority 0; policy drop;\n}\n}\n")
	equal(t, len(machineOf(t, w, MachineOptions{}).Namespace("a").Filters), 0)
	equal(t, machineOf(t, w, MachineOptions{Filters: true}).Namespace("a").Filters[0].Chains[0].Policy, "drop")
}

func TestMachineProcesses(t *testing.T) {
	w := newWorld(t, "a", "gone")
	build(t, w, "host: ip link add out type veth peer name eth0 netns gone")
	inA, inGone := sleeper(t, w, "a"), sleeper(t, w, "gone")
	second := sleeper(t, w, "gone")
	if err := w.Delete("gone"); err != nil {
		t.Fatal(err)
	}
	s := machineOf(t, w, MachineOptions{})
	equal(t, names(s), []string{"host", "a"})
	equal(t, s.Namespace("host").Link("out").Peer.Hidden, true)

	name := fmt.Sprint("pid:", inGone)
	s = machineOf(t, w, MachineOptions{PIDs: []int{inGone, inA}})
	equal(t, names(s), []string{"host", "a", name})
	equal(t, []any{s.Namespace(name).Nameless, s.Namespace(name).PIDs}, []any{true, []int{inGone}})
	equal(t, []any{s.Namespace("a").Nameless, s.Namespace("a").PIDs}, []any{false, []int{inA}})
	equal(t, s.Namespace("host").Link("out").Peer.Netns, name)

	s = machineOf(t, w, MachineOptions{All: true})
	equal(t, s.Namespace(name).PIDs, []int{inGone, second})

	err := w.Do(netns.Host, func() error {
		_, err := Machine(t.Context(), MachineOptions{PIDs: []int{1 << 30}})
		return err
	})
	if !errors.Is(err, unix.ENOENT) {
		t.Errorf("a process that is not there: %v", err)
	}
}

// TestMachineNames has two names for one namespace, a name for the caller's own, names of no namespace, and a namespace
// named like the caller's own.
func TestMachineNames(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it waits until odd names are known to stay")
	}
	w := newWorld(t, "a", "s\xff \n")
	needs(t, "ip", "mount")
	for _, line := range []string{
		"touch /run/netns/b /run/netns/own /run/netns/host /run/netns/stale",
		"mount --bind /run/netns/a /run/netns/b",
		"mount --bind /run/netns/a /run/netns/host",
		"mount --bind /proc/self/ns/net /run/netns/own",
		"mkdir /run/netns/folder",
		"mkfifo /run/netns/fifo",
		"mkdir -p /run/netns/full-folder/below",
		"cp /etc/passwd /run/netns/full",
		"ln -s /nowhere /run/netns/dangling",
		"ln -s loop /run/netns/loop",
		"ln -s stale /run/netns/other",
		"ln -s a /run/netns/link",
		"touch /run/netns/uts",
		"mount --bind /proc/self/ns/uts /run/netns/uts",
	} {
		run(t, w, netns.Host, line)
	}
	s := machineOf(t, w, MachineOptions{})
	equal(t, names(s), []string{"host", "a", "s\xff \n"})
	equal(t, s.Namespace("host").OtherNames, []string{"own"})
	equal(t, s.Namespace("a").OtherNames, []string{"b", "host", "link"})
	equal(t, s.Namespace("b"), s.Namespace("a"))
	strays := []string{"dangling", "fifo", "folder", "full", "full-folder", "loop", "other", "stale", "uts"}
	equal(t, s.NotNamespaces, strays)
	equal(t, s.Strays, []state.Stray{
		{Name: "dangling", Kind: state.StrayDangling, Target: "/nowhere"},
		{Name: "fifo", Kind: state.StrayFIFO},
		{Name: "folder", Kind: state.StrayDirectory},
		{Name: "full", Kind: state.StrayFullFile},
		{Name: "full-folder", Kind: state.StrayFullDirectory},
		{Name: "loop", Kind: state.StrayDangling, Target: "loop"},
		{Name: "other", Kind: state.StrayLink, Target: "stale"},
		{Name: "uts", Kind: state.StrayMount},
	})
	inLab := observed(t, w)
	equal(t, inLab.NotNamespaces, s.NotNamespaces)
	equal(t, inLab.Strays, s.Strays)
	for _, name := range []string{"b", "host", "own", "uts"} {
		run(t, w, netns.Host, "umount /run/netns/"+name)
	}
}

// TestMachineWhileNamespacesComeAndGo reads while names and processes come and go. They may be present or not, without
// an error; and there are no strays, although a name is a plain file for a moment while it is added or deleted.
func TestMachineWhileNamespacesComeAndGo(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it looks 60 times at a machine that changes")
	}
	needs(t, "ip", "sh")
	w := newWorld(t, "stays")
	for _, script := range []string{
		"while :; do ip netns add goes; ip netns exec goes true; ip netns del goes; done",
		"while :; do ip netns add a; ip netns del a; done",
		"cd /run/netns; while :; do " +
			"touch slow; sleep 0.02; mount --bind /proc/self/ns/net slow; umount slow; sleep 0.02; rm slow; done",
	} {
		cmd := exec.Command("sh", "-c", script)
		if err := w.Do(netns.Host, cmd.Start); err != nil {
			t.Fatal(err)
		}
		defer func() {
			cmd.Process.Kill()
			cmd.Wait()
		}()
	}
	for round := range 60 {
		s := machineOf(t, w, MachineOptions{All: true, Filters: round%4 == 0})
		if s.Namespace("stays") == nil || s.Namespace("stays").Link("lo") == nil {
			t.Fatalf("what stays is not there: %q", names(s))
		}
		if len(s.NotNamespaces) > 0 {
			t.Fatalf("round %d: these are told as no namespaces: %q", round, s.NotNamespaces)
		}
	}
}

// TestMachineWithoutPermission reads in a process without any capability: its own namespace, without packet filters,
// and the others as unread.
func TestMachineWithoutPermission(t *testing.T) {
	if os.Getenv(machineRole) != "" {
		s, err := Machine(t.Context(), MachineOptions{All: true, Filters: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range s.Namespaces {
			fmt.Printf("read %s: %d links, unread %q\n", n.Name, len(n.Links), n.Unread)
		}
		return
	}
	needs(t, "setpriv")
	w := newWorld(t, "a")
	cmd := exec.Command("setpriv", "--bounding-set=-all", "--inh-caps=-all", "/proc/self/exe",
		"-test.run=^TestMachineWithoutPermission$", "-test.v")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args[3] = self
	cmd.Env = append(os.Environ(), machineRole+"=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := w.Do(netns.Host, cmd.Start); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	for _, want := range []string{`read host: 1 links, unread ["nftables: no permission"`,
		`read a: 0 links, unread ["no permission to enter it"]`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, &out)
		}
	}
}

const machineRole = "OBSERVE_TEST_MACHINE"

// TestMachineLeavesNothing compares before and after: open files, threads, mounts, packets, rules, and the state
// itself. IPv6 is off because it sends packets by itself.
func TestMachineLeavesNothing(t *testing.T) {
	w := newWorld(t, "a", "b")
	build(t, w, `
		a: sysctl -qw net.ipv6.conf.default.disable_ipv6=1
		b: sysctl -qw net.ipv6.conf.default.disable_ipv6=1
		a: ip link add eth0 type veth peer name eth0 netns b
		a: ip addr add 10.0.0.1/24 dev eth0
		b: ip addr add 10.0.0.2/24 dev eth0
		a: ip link set eth0 up
		b: ip link set eth0 up
	`)
	load(t, w, "a", "table ip t {\nchain c {\ntype filter hook input priority 0;\n}\n}\n")
	sleeper(t, w, "b")
	everything := MachineOptions{All: true, Filters: true}
	// The link-watch work of the kernel is not ours.
	if _, err := NewSettler(w).Settle(t.Context(), time.Minute, false); err != nil {
		t.Fatal(err)
	}
	machineOf(t, w, everything) // makes the kernel assign namespace ids
	before, was := census(t, w), observed(t, w)
	for range 20 {
		machineOf(t, w, everything)
	}
	equal(t, census(t, w), before)
	is := observed(t, w)
	for _, s := range []*state.State{is, was} {
		for i := range s.Namespaces {
			s.Namespaces[i].Listeners = nil
		}
	}
	equal(t, is, was)
	equal(t, is.Namespace("a").Link("eth0").Counters["tx_packets"], uint64(0))
}

// census is what could be left behind: open files, threads in other namespaces, mounts, rules.
func census(t testing.TB, w *netns.World) map[string]string {
	t.Helper()
	found := map[string]string{}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found["files"] = fmt.Sprint(len(files))
	found["mounts"] = run(t, w, netns.Host, "cat /proc/self/mountinfo")
	found["rules"] = run(t, w, "a", "nft -a list ruleset")
	own, _ := os.Readlink("/proc/self/ns/net")
	tasks, _ := filepath.Glob("/proc/self/task/*/ns/net")
	var strange []string
	for _, task := range tasks {
		if at, err := os.Readlink(task); err == nil && at != own {
			strange = append(strange, at)
		}
	}
	slices.Sort(strange)
	found["threads"] = strings.Join(strange, " ")
	return found
}
