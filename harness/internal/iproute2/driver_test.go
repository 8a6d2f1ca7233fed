package iproute2_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"netnscheck/harness/internal/iproute2"
	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

func newDriver(t *testing.T) *iproute2.Driver {
	t.Helper()
	d, err := iproute2.New()
	if err != nil {
		sandbox.Lacking(t, err)
	}
	return d
}

func TestRunKeepsWhatAProgramSays(t *testing.T) {
	d, w := newDriver(t), labtest.World(t)
	for _, c := range []struct {
		line   string
		status int
		output string
	}{
		{"ip netns add testns", 0, ""},
		{"ip netns add testns", 1, "Cannot create namespace file \"/run/netns/testns\": File exists\n"},
		{"ip netns list", 0, "testns\n"},
		{"ip -n prodns link", 255, "Cannot open network namespace \"prodns\": No such file or directory\n"},
		{"ip netns exec testns sh -c 'echo out; echo err >&2; exit 7'", 7, "out\nerr\n"},
		{"ip netns del testns", 0, ""},
	} {
		x, err := d.Run(t.Context(), w, labtest.Command(t, c.line))
		if err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		if x.Status != c.status || x.Output != c.output {
			t.Errorf("%s\n got %d %q\nwant %d %q", c.line, x.Status, x.Output, c.status, c.output)
		}
	}
	names, err := w.Names()
	if err != nil || len(names) > 0 {
		t.Errorf("the namespaces %q are left, %v", names, err)
	}
}

func TestAMissingProgramIsUnavailable(t *testing.T) {
	d, w := newDriver(t), labtest.World(t)
	var unavailable *scenario.Unavailable
	for _, line := range []string{"ip netns exec a no-such-program-anywhere", "no-such-program-anywhere --now"} {
		cmd := labtest.Command(t, line)
		cmd.Status = scenario.Status{}
		if err := d.CanSay(cmd); !errors.As(err, &unavailable) {
			t.Errorf("%s: CanSay: %v", line, err)
		}
	}
	cmd := labtest.Command(t, "no-such-program-anywhere --now")
	if _, err := d.Run(t.Context(), w, cmd); !errors.As(err, &unavailable) {
		t.Errorf("Run: %v", err)
	}
}

// On the host's own network each namespace has a unique real name, which neither the lesson nor its output shows.
func TestSharedNamesAreTheLabs(t *testing.T) {
	d, w := newDriver(t), labtest.SharedWorld(t)
	run := func(line string) scenario.Exchange {
		x, err := d.Run(t.Context(), w, labtest.Command(t, line))
		if err != nil || x.Status != 0 {
			t.Fatalf("%s: status %d, %v\n%s", line, x.Status, err, x.Output)
		}
		return x
	}
	x := run("ip netns add testns")
	if want := w.Real("testns"); !slices.Contains(x.Argv, want) || want == "testns" {
		t.Errorf("ran %q, want the name %s in it", x.Argv, want)
	}
	labtest.SharedWorld(t) // another lab with names in the same directory
	if got := run("ip netns list").Output; got != "testns\n" {
		t.Errorf("ip netns list says %q", got)
	}
	run("ip netns exec testns ip link set lo up")
	run("test -e /run/netns/testns")
	_, err := d.Run(t.Context(), w, labtest.Command(t, "sh -c 'ip -n testns link'"))
	var unavailable *scenario.Unavailable
	if !errors.As(err, &unavailable) {
		t.Errorf("a namespace in the words of a shell: %v", err)
	}
}
