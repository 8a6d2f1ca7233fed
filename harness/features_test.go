package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFeatureThatNobodyCanTell: what cannot be told is an error and no skip, also in the report.
func TestFeatureThatNobodyCanTell(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"unknown.md": "---\nrequires: [veth, no-such-feature]\n---\n" + good})
	harness(t, dir, "run", "unknown.md", "--driver", "netlink").want(t, 1,
		"error    unknown", "look for the feature no-such-feature: could not tell: unknown feature", "3 errors")
	text, err := os.ReadFile(filepath.Join(dir, "results", "junit.xml"))
	if err != nil || strings.Contains(string(text), "<skipped") || !strings.Contains(string(text), "<error") {
		t.Errorf("it is no error in the JUnit report: %v\n%s", err, text)
	}
}

// TestDoctorTellsEveryFeature: with one of three words each.
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
		told[name] = found == "present" || strings.HasPrefix(found, "absent: ") || strings.HasPrefix(found, "could not tell: ")
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
