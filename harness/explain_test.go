package main_test

import (
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
)

func TestExplain(t *testing.T) {
	dir := t.TempDir()
	list := harness(t, dir, "explain")
	list.want(t, 0, "Source\n", "Segment: bridges, tunnels, neighbours\n")
	for _, name := range causes.Words() {
		if !strings.Contains(list.stdout, "\n  "+name+" ") {
			t.Errorf("the list has no %s", name)
		}
	}
	page := causes.PeerDown.Page()
	if c := harness(t, dir, "explain", "peer-down"); c.status != 0 || c.stdout != page {
		t.Errorf("status %d:\n%s", c.status, c.stdout)
	}
	harness(t, dir, "explain", "per-down").want(t, 2, `"per-down"`, "did you mean `harness explain peer-down`?")
	harness(t, dir, "explain", "xyzzy").want(t, 2, "`harness explain` lists")
	harness(t, dir, "explain", "peer-down", "half-up").want(t, 2, "harness explain --help")
	harness(t, dir, "__complete", "explain", "").want(t, 0, "peer-down\tThis end of the veth pair is up")
}
