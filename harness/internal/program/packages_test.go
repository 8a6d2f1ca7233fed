package program

import (
	"regexp"
	"strings"
	"testing"
)

func TestPackagesAreCalledAsHere(t *testing.T) {
	for _, c := range []struct{ manager, ping, tc, install string }{
		{"apt-get", "iputils-ping", "iproute2", "apt-get install iproute2 iputils-ping"},
		{"dnf", "iputils", "iproute-tc", "dnf install iproute-tc iputils"},
		{"apk", "iputils", "iproute2", "apk add iproute2 iputils"},
		{"pacman", "iputils", "iproute2", "pacman -S iproute2 iputils"},
		{"zypper", "iputils", "iproute2", "zypper install iproute2 iputils"},
		{"no-such-manager", "iputils-ping", "iproute2", ""},
	} {
		onlyPrograms(t, c.manager)
		if got := Package("ping"); got != c.ping {
			t.Errorf("%s: ping is in %q, want %q", c.manager, got, c.ping)
		}
		if got := Package("tc"); got != c.tc {
			t.Errorf("%s: tc is in %q, want %q", c.manager, got, c.tc)
		}
		if got := Install(c.ping, c.tc, c.ping); got != c.install {
			t.Errorf("%s: %q, want %q", c.manager, got, c.install)
		}
	}
	if got := Package("no-such-program"); got != "" {
		t.Errorf("no-such-program is in %q", got)
	}
}

// TestEveryRow: a row has one name for all managers or one for each, and each program is in one row.
func TestEveryRow(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]*$`)
	seen := map[string]bool{}
	for _, k := range known {
		names := strings.Fields(k.packages)
		if len(names) != 1 && len(names) != len(managers) {
			t.Errorf("%s: %d packages for %d managers", k.programs, len(names), len(managers))
		}
		for _, n := range names {
			if !name.MatchString(n) {
				t.Errorf("%s: %q is no name of a package", k.programs, n)
			}
		}
		for _, p := range strings.Fields(k.programs) {
			if seen[p] {
				t.Errorf("%s stands twice", p)
			}
			seen[p] = true
		}
	}
	for _, p := range foreign {
		if !seen[p] {
			t.Errorf("%s of busybox is another program, but no package is known that has the one that is meant", p)
		}
	}
}
