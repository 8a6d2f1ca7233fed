package main_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// bareWorlds is the folder with the results of .ci/bare, which hides programs: a folder for each set. only+ip+ping has
// those two in addition to what Go needs, all-nft has everything but nft.
var bareWorlds = flag.String("bare", "", "judge what came of the machines on which programs are missing (make bare)")

// TestBare judges these results: nothing fails on any machine, and everything left out has a reason.
func TestBare(t *testing.T) {
	if *bareWorlds == "" {
		t.Skip("there is nothing to judge: make bare")
	}
	judges := map[string]func(t *testing.T, world, path string){"results.json": judgeRun, "tests.json": judgeTests}
	for pattern, judge := range judges {
		paths, err := filepath.Glob(filepath.Join(*bareWorlds, "*", pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("there is no %s below %s: %v", pattern, *bareWorlds, err)
		}
		for _, path := range paths {
			world := filepath.Base(filepath.Dir(path))
			t.Run(world+"/"+pattern, func(t *testing.T) { judge(t, world, path) })
		}
	}
}

// judgeRun reads the report of the whole catalogue.
func judgeRun(t *testing.T, world, path string) {
	r, err := reports.ReadJSON(path)
	if err != nil {
		t.Fatal(err)
	}
	c := r.Count()
	t.Logf("%+v\n%s", c, r.LeftOutText())
	if c.Bad() > 0 || c.Pass == 0 || len(r.Problems)+len(r.Leftovers) > 0 {
		t.Errorf("counts %+v, problems %q, left behind %q", c, r.Problems, r.Leftovers)
	}
	missing := map[string]bool{}
	for _, l := range r.LeftOut {
		missing[l.Program] = true
		named := strings.Contains(l.Reason, l.Program) && l.Package != "" && strings.Contains(l.Reason, l.Package)
		if l.Cases == 0 && l.Driver == "" || !named {
			t.Errorf("left out is %+v", l)
		}
	}
	for i := range r.Suites {
		for _, k := range r.Suites[i].Cases {
			switch {
			case k.Outcome == scenario.Pass:
			case k.Outcome != scenario.Skip || k.Reason == "":
				t.Errorf("%s: %s: %s, %s", r.Suites[i].Name(), k.Name, k.Outcome, k.Describe())
			}
			for _, name := range k.Missing {
				if !missing[name] {
					t.Errorf("%s: %s is skipped for want of %s, which is not told", r.Suites[i].Name(), k.Name, name)
				}
			}
		}
	}
	words := strings.Split(strings.TrimSuffix(world, "@user"), "+")
	hidden, all := strings.CutPrefix(words[0], "all-")
	if all && (!missing[hidden] || r.Install == "") {
		t.Errorf("%s is hidden; left out is %+v, to be installed by %q", hidden, r.LeftOut, r.Install)
	}
	if words[0] == "only" {
		for _, name := range []string{"ip", "ping", "nft", "busybox"} {
			if name == "ping" && missing["ip"] {
				continue // only the driver iproute2, which is left out, starts it
			}
			if there := slices.Contains(words[1:], name); missing[name] == there {
				t.Errorf("%s is there: %v; left out is %+v", name, there, r.LeftOut)
			}
		}
	}
}

// judgeTests reads the output of `go test -json`.
func judgeTests(t *testing.T, _, path string) {
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	said := map[string]string{} // by package and test
	passed := 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var event struct{ Action, Package, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // of make
		}
		name := event.Package + " " + event.Test
		switch event.Action {
		case "output":
			said[name] += event.Output
			if strings.HasPrefix(event.Output, "skipped, every test") {
				t.Errorf("%s: %s", event.Package, event.Output)
			}
		case "build-fail", "fail":
			t.Errorf("%s fails:\n%s", name, said[name])
		case "pass":
			passed++
		case "skip":
			if event.Test != "" && !hasReason(said[name]) {
				t.Errorf("%s is skipped without a reason:\n%s", name, said[name])
			}
		}
	}
	if err := lines.Err(); err != nil || passed == 0 {
		t.Errorf("%d tests passed, %v", passed, err)
	}
}

// hasReason reports whether a skipped test printed a reason.
func hasReason(output string) bool {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return true
		}
	}
	return false
}
