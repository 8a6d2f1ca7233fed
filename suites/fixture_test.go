package suites_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
)

// fixtureVariable makes this test binary one with a few specs that need no lab.
const fixtureVariable = "NETNSCHECK_TEST_FIXTURE"

var isFixture = os.Getenv(fixtureVariable) == "1"

// fixtureTime is how long a spec of the fixture takes.
const fixtureTime = 60 * time.Millisecond

func registerFixture() {
	Describe("pair: Title", Ordered, ContinueOnFailure, Label("fixture"), func() {
		for _, driver := range []string{"iproute2", "netlink"} {
			Context("driver "+driver, Label(driver), func() {
				It("takes its time", func() {
					for begin := time.Now(); time.Since(begin) < fixtureTime; {
					}
				})
				It("differs", func() {
					if driver == "netlink" {
						Fail("found something else")
					}
				})
			})
		}
	})
	Describe("absent: Title", Label("fixture"), func() { It("skips", func() { Skip("not here") }) })
	Describe("go: Title", Label("fixture", "go"), func() { It("passes", func() {}) })
}

var result = regexp.MustCompile(`(?m)--- (PASS|FAIL|SKIP): (TestSuites/\S+) \((.*)s\)$`)

// TestSubtests: Go's tools see a test for each scenario and driver, with its time, and none for what was filtered out.
func TestSubtests(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"FAIL TestSuites/pair/netlink", "PASS TestSuites/go", "PASS TestSuites/pair/iproute2",
			"SKIP TestSuites/absent"}},
		{[]string{"-test.run=TestSuites/pair/iproute2"}, []string{"PASS TestSuites/pair/iproute2"}},
		{[]string{"-ginkgo.label-filter=fixture && go"}, []string{"PASS TestSuites/go"}},
	} {
		output, err := fixture(t, c.args...)
		if failed := err != nil; failed != (c.args == nil || strings.Contains(c.args[0], "pair/")) {
			t.Errorf("%q: %v\n%s", c.args, err, output)
		}
		var got []string
		for _, m := range result.FindAllStringSubmatch(output, -1) {
			got = append(got, m[1]+" "+m[2])
			took, err := time.ParseDuration(m[3] + "s")
			if slow := strings.Contains(m[2], "/pair/"); err != nil || slow != (took >= fixtureTime) {
				t.Errorf("%s took %v, %v", m[2], took, err)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s\n%s", c.args, diff, output)
		}
		if c.args == nil && !strings.Contains(output, "differs: failed\n        found something else") {
			t.Errorf("the output does not say what failed:\n%s", output)
		}
	}
}

// TestJUnitNames: the names of tests in Ginkgo's JUnit report are those of the specs.
func TestJUnitNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "junit.xml")
	output, _ := fixture(t, "-ginkgo.junit-report="+file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if !strings.Contains(string(text), `name="[It] pair: Title driver netlink differs"`) {
		t.Errorf("%s", text)
	}
}

func fixture(t *testing.T, args ...string) (output string, err error) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", append([]string{
		"-test.run=^TestSuites$", "-test.v", "-ginkgo.label-filter=fixture", // without the suites of other files
	}, args...)...)
	cmd.Env = append(os.Environ(), fixtureVariable+"=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
