package main_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// onMachine runs the harness in namespaces that unshare(1) makes, with an empty /run/netns, after a shell script with
// ip has prepared them.
func onMachine(t *testing.T, dir, prepare string, args ...string) call {
	t.Helper()
	return unshared(t, dir, []string{"-Urnm"}, "mount -t tmpfs tmpfs /run; "+strings.TrimSpace(prepare), args...)
}

// aPair makes two namespaces with a veth pair, one end of which is down.
const aPair = `ip netns add testns; ip netns add prodns
ip link add vnix-prodns netns prodns type veth peer name vnic-testns netns testns
ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns; ip -n testns addr add 192.168.2.103/24 dev vnic-testns
ip -n prodns link set lo up; ip -n testns link set lo up; ip -n prodns link set vnix-prodns up
`

func TestMapOfTheMachine(t *testing.T) {
	dir := t.TempDir()
	c := onMachine(t, dir, aPair, "map")
	c.want(t, 0, "─ host ─", "│ vnix-prodns ! no carrier ├───×───┤ vnic-testns ○ down │", "× no carrier")
	onMachine(t, dir, aPair, "map", "--ascii").want(t, 0, "| vnix-prodns ! no carrier +---x---+ vnic-testns - down |")
	onMachine(t, dir, aPair, "map", "--width", "40").want(t, 0, "│ vnix-prodns@vnic-testns ! no carrier │")

	c = onMachine(t, dir, aPair, "map", "--json")
	c.want(t, 0)
	var topology struct {
		Namespaces []struct{ Name string }
		Cables     []struct{ Carries bool }
	}
	if err := json.Unmarshal([]byte(c.stdout), &topology); err != nil || len(topology.Namespaces) != 3 ||
		len(topology.Cables) != 1 || topology.Cables[0].Carries {
		t.Errorf("%v: %+v of\n%s", err, topology, c.stdout)
	}
}

func TestMapOfALab(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good})
	c := harness(t, dir, "map", "good.md")
	c.want(t, 0, "─ testns ─", "─ prodns ─", "lo ○ down")
	if c := harness(t, dir, "map", "good.md", "--step", "1"); c.status != 0 || strings.Contains(c.stdout, "prodns") {
		t.Errorf("after the first step, status %d:\n%s%s", c.status, c.stdout, c.stderr)
	}
	harness(t, dir, "map", "good.md", "--svg", "lab.svg").want(t, 0)
	svg, err := os.ReadFile(filepath.Join(dir, "lab.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(string(svg))); err == nil; {
		_, err = d.Token()
	}
	if !errors.Is(err, io.EOF) || !strings.Contains(string(svg), ">testns</text>") {
		t.Errorf("%v:\n%s", err, svg)
	}
}

// TestMapFollowsColumns: without a terminal, COLUMNS sets the width.
func TestMapFollowsColumns(t *testing.T) {
	dir := write(t, map[string]string{"state.json": `{"namespaces": [
		{"name": "a", "links": [{"index": 1, "name": "a-long-name-15c", "kind": "dummy"}]},
		{"name": "b", "links": [{"index": 1, "name": "a-long-name-15c", "kind": "dummy"}]}]}`})
	lines := func(environment ...string) int {
		cmd := command(t, dir, "map", "--state", "state.json")
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool {
			return strings.HasPrefix(s, "COLUMNS=")
		}), environment...)
		c := finish(t, cmd)
		c.want(t, 0, "a-long-name-15c ○ down, dummy")
		return strings.Count(c.stdout, "\n")
	}
	if wide, narrow, none := lines("COLUMNS=90"), lines("COLUMNS=50"), lines(); wide != 3 || narrow != 6 || none != 6 {
		t.Errorf("%d lines in 90 columns, %d in 50, %d without COLUMNS", wide, narrow, none)
	}
}
