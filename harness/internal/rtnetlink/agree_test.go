package rtnetlink

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/netns"
)

// After each command of the scripts the driver and the real programs have to leave the same state. A command that one
// refuses has to be refused by the other.
func TestLeavesTheStateThatTheRealProgramsLeave(t *testing.T) {
	labtest.Needs(t, "ip", "ping", "sysctl")
	labtest.Scripts(t, New(), "testdata/scripts/*.txt")
}

// What a State does not have, such as the options of lightweight tunnels, has to be the same in the words of ip.
func TestLeavesWhatIPShows(t *testing.T) {
	labtest.Needs(t, "ip", "sh")
	for _, script := range []string{"nexthops", "encap", "metrics", "devices", "tuntap"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			ours, theirs := labtest.World(t), labtest.World(t)
			for _, line := range labtest.Lines(labtest.Read(t, "testdata/scripts/"+script+".txt")) {
				cmd := labtest.Command(t, line)
				say(t, ours, line)
				labtest.Run(t, theirs, cmd.Argv)
				if diff := cmp.Diff(shownByIP(t, theirs), shownByIP(t, ours)); diff != "" {
					t.Fatalf("%s (-the real program +the driver):\n%s", line, diff)
				}
			}
		})
	}
}

// settling lines are about link-local addresses, which the kernel chooses and which come when DAD has ended.
var settling = regexp.MustCompile(`fe80::|ff02::1:ff|33:33:ff:|-6 route show table all: .* proto 2 scope`)

// remaining are times that go by.
var remaining = regexp.MustCompile(`expires \S+|unbalanced_time \S+`)

// foreign lines are about other processes: ip looks among all for those that hold a tun device, and some end meanwhile,
// or belong to somebody else.
var foreign = regexp.MustCompile(` tuntap: (readlink|fopen|open)\w*: (No such |Permission denied)`)

// shownByIP is what ip shows of all namespaces, in lines.
func shownByIP(t *testing.T, w *netns.World) (lines []string) {
	t.Helper()
	names, err := w.Names()
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range append([]string{""}, names...) {
		for _, show := range []string{"nexthop", "-4 route show table all", "-6 route show table all", "maddr", "token",
			"tuntap", "link"} {
			options := "ip -d -N "
			if ns != "" {
				options += "-n " + ns + " "
			}
			output, _ := labtest.Run(t, w, strings.Fields(options+show))
			of := lines
			for line := range strings.Lines(output) {
				line = fmt.Sprintf("%s %s: %s", ns, show, remaining.ReplaceAllString(strings.TrimSpace(line), ""))
				ours := show != "link" || strings.Contains(line, "tun type")
				if ours && !settling.MatchString(line) && !foreign.MatchString(line) {
					of = append(of, line)
				}
			}
			slices.Sort(of[len(lines):])
			lines = of
		}
	}
	return lines
}
