package program

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

// onlyPrograms sets PATH so that only these programs are found.
func onlyPrograms(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := systemDirs
	systemDirs = nil
	t.Cleanup(func() { systemDirs = before })
	t.Setenv("PATH", dir)
	return dir
}

func TestInstalled(t *testing.T) {
	dir := onlyPrograms(t, "ip", "sh", "timeout", "apt-get")
	systemDirs = []string{dir}
	held, refused := scenario.Status{}, scenario.Status{Any: true}
	for _, c := range []struct {
		line    string
		status  scenario.Status
		missing string // "" if nothing is
	}{
		{"sh -c true", held, ""},
		{"no-such-program", held, "no-such-program"},
		{"no-such-program", refused, "no-such-program"}, // without a namespace there is nothing to refuse it
		{"ip netns exec a sh -c true", held, ""},
		{"ip netns exec a no-such-program", held, "no-such-program"},
		{"ip netns exec a no-such-program", refused, ""},
		{"ip netns exec a no-such-program", scenario.Status{Code: 255}, ""},
		{"ip -n a netns exec b no-such-program", held, "no-such-program"},
		{"ip netns exec a ip netns exec b no-such-program", held, "no-such-program"},
		{"timeout 1 no-such-program", held, "no-such-program"},
		{"timeout 1 no-such-program", refused, ""},
		{"sh -c no-such-program", scenario.Status{Code: 127}, ""},
		{"sh -c 'no-such-program | other-program'", held, "no-such-program other-program"},

		// A program that a known package has is not a lesson about one that does not exist.
		{"ip netns exec a ping -c1 192.0.2.1", held, "ping"},
		{"ip netns exec a ping -c1 192.0.2.1", refused, "ping"},
		{"ip netns exec a sh -c 'nft list ruleset | grep table || no-such-program'", refused, "nft grep"},
		{"ip netns exec a timeout 1 nft monitor", scenario.Status{Code: 124}, "nft"},
		{"ip netns exec a " + dir + "/ping -c1 192.0.2.1", refused, dir + "/ping"},
		{"ip netns exec a " + dir + "/sh", refused, ""},
		{"ip netns exec a /run/ping -c1 192.0.2.1", refused, ""}, // the lesson may make it
		{"ip netns exec a /etc/netns/a/script", held, ""},        // the lesson may write it
	} {
		argv, err := scenario.Words(c.line)
		if err != nil {
			t.Fatal(err)
		}
		var unavailable *scenario.Unavailable
		switch err = Installed(scenario.Command{Argv: argv, Status: c.status}); {
		case c.missing == "" && err != nil:
			t.Errorf("%s, %+v: %v", c.line, c.status, err)
		case c.missing != "" && (!errors.As(err, &unavailable) || strings.Join(unavailable.Programs, " ") != c.missing):
			t.Errorf("%s, %+v: %v, want that %s is missing", c.line, c.status, err, c.missing)
		}
	}
}

func TestNotInstalled(t *testing.T) {
	onlyPrograms(t, "dnf")
	for _, c := range []struct{ names, want string }{
		{"ping", "the program ping is not installed (package iputils)"},
		{"no-such-program", "the program no-such-program is not installed"},
		{"ping nft arping x", "the programs ping, nft, arping, x are not installed (packages iputils, nftables)"},
	} {
		names := strings.Fields(c.names)
		got := NotInstalled(names...)
		if got.Reason != c.want || !slices.Equal(got.Programs, names) {
			t.Errorf("%s: %q, %q; want %q", c.names, got.Reason, got.Programs, c.want)
		}
	}
}
