package main_test

import (
	"strings"
	"testing"
)

// TestDoctorTellsEveryFeature: each feature is listed with one of three words.
func TestDoctorTellsEveryFeature(t *testing.T) {
	needSandbox(t)
	c := harness(t, t.TempDir(), "doctor")
	c.want(t, 0, "FEATURE")
	_, features, _ := strings.Cut(c.stdout, "FEATURE")
	features, _, _ = strings.Cut(strings.TrimSpace(features), "\n\n")
	told := map[string]bool{}
	for line := range strings.Lines(features) {
		name, found, _ := strings.Cut(strings.TrimSpace(line), " ")
		found = strings.TrimSpace(found)
		told[name] = found == "present" || strings.HasPrefix(found, "absent: ") ||
			strings.HasPrefix(found, "could not tell: ")
		if !told[name] {
			t.Errorf("%s: %q", name, found)
		}
	}
	for _, name := range []string{"veth", "bridge", "tbf", "nftables", "nft-nat", "etc-netns", "uids"} {
		if !told[name] {
			t.Errorf("nothing is told of %s", name)
		}
	}
}
