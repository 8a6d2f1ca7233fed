package suites_test

import (
	"encoding/json"
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
	"github.com/onsi/ginkgo/v2/types"
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
		file := filepath.Join(t.TempDir(), "report.json")
		began := time.Now()
		output, err := fixture(t, append(c.args, "-ginkgo.json-report="+file)...)
		elapsed := time.Since(began)
		if failed := err != nil; failed != (c.args == nil || strings.Contains(c.args[0], "pair/")) {
			t.Errorf("%q: %v\n%s", c.args, err, output)
		}
		specs := runTimes(t, file)
		var got []string
		var together time.Duration
		for _, m := range result.FindAllStringSubmatch(output, -1) {
			got = append(got, m[1]+" "+m[2])
			took, err := time.ParseDuration(m[3] + "s")
			name := strings.TrimPrefix(m[2], "TestSuites/")
			slow := strings.HasPrefix(name, "pair/")
			if err != nil || took+rounding < specs[name] || slow && specs[name] < fixtureTime {
				t.Errorf("%s took %v, its specs %v; %v", m[2], took, specs[name], err)
			}
			together += took - rounding
		}
		if together > elapsed {
			t.Errorf("%q: the tests took %v, the whole run %v:\n%s", c.args, together, elapsed, output)
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

// rounding is what a time in the output of `go test` may be off by.
const rounding = 10 * time.Millisecond

// runTimes reads from Ginkgo's JSON report how long the specs of each subtest took.
func runTimes(t *testing.T, file string) map[string]time.Duration {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var reports []types.Report
	if err := json.Unmarshal(text, &reports); err != nil {
		t.Fatal(err)
	}
	times := map[string]time.Duration{}
	for _, report := range reports {
		for _, spec := range report.SpecReports {
			times[subtestOf(spec)] += spec.RunTime
		}
	}
	return times
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
