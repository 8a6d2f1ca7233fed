package reports

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
)

// report is what a format writes of a run whose cases end one after the other, as far as told of them.
func report(t *testing.T, format string, r *Run, told int) string {
	t.Helper()
	f, err := FormatNamed(format)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sink := f.New(&out, Options{})
	sink.Plan(r.Suites)
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			if told--; told >= 0 {
				sink.Begin(&r.Suites[i], &r.Suites[i].Cases[j])
				sink.End(&r.Suites[i], &r.Suites[i].Cases[j])
			}
		}
	}
	if err := sink.Finish(r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// all tells every case.
const all = 1 << 30

func TestTAPGolden(t *testing.T) {
	golden(t, "ktap.golden.txt", report(t, "ktap", sample(), all))
	golden(t, "kselftest.golden.txt", report(t, "kselftest", sample(), all))
}

// TestTAPIsStreamed: a result is written when its case ends, and what never ended is told at the end: both make the
// same report, whenever they are told.
func TestTAPIsStreamed(t *testing.T) {
	r := sample()
	for _, format := range []string{"ktap", "kselftest"} {
		whole := report(t, format, r, all)
		for _, told := range []int{0, 1, 5, 9, 10} {
			if diff := cmp.Diff(whole, report(t, format, r, told)); diff != "" {
				t.Errorf("%s, %d cases that ended (-all +some):\n%s", format, told, diff)
			}
		}
		f, _ := FormatNamed(format)
		var out bytes.Buffer
		sink := f.New(&out, Options{})
		sink.Plan(r.Suites)
		sink.End(&r.Suites[0], &r.Suites[0].Cases[0])
		if text := out.String(); !strings.HasPrefix(whole, text) || !strings.Contains(text, "ok 1 ") {
			t.Errorf("%s has after one case:\n%s", format, text)
		}
	}
}

// TestTAPInjection: no text of a scenario or a program makes a line that a parser takes for another result.
func TestTAPInjection(t *testing.T) {
	evil := "ok 7 x\nnot ok 8 y # SKIP\n1..9\nBail out!\n# Subtest: z\nTAP version 13"
	r := &Run{Suites: []Suite{{ID: evil, Driver: "# TODO", Cases: []Case{
		{Name: evil, SectionResult: scenario.SectionResult{Outcome: scenario.Fail, Reason: evil,
			Problems: []scenario.Problem{{Message: evil, Found: evil, Hint: evil, Diagnosis: []string{evil}}}}},
		{Name: "# SKIP", SectionResult: scenario.SectionResult{Outcome: scenario.Skip, Reason: evil}},
		{Name: "- 3 # TODO", SectionResult: scenario.SectionResult{Outcome: scenario.Pass}},
	}}}, Problems: []string{evil}}
	const result = `(not )?ok [0-9]+ [^#]*[^# ]( # [^#]*)?`
	for format, lines := range map[string]string{
		"ktap":      `^( *)(` + result + `|K?TAP version [0-9]+|1\.\.[0-9]+|#(   .*)?)$`,
		"kselftest": `^(` + result + `( # time=[0-9]+ms)?|TAP version 13|1\.\.[0-9]+|#(   .*)?|# Totals.*)$`,
	} {
		known := regexp.MustCompile(lines)
		results := 0
		text := report(t, format, r, all)
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if !known.MatchString(line) {
				t.Errorf("%s has the line %q", format, line)
			}
			if strings.Contains(strings.SplitN(line, " # ", 2)[0], "ok ") && !strings.HasPrefix(line, "#") {
				results++
			}
		}
		if want := map[string]int{"ktap": 5, "kselftest": 4}[format]; results != want {
			t.Errorf("%s has %d results, want %d:\n%s", format, results, want, text)
		}
	}
}

// TestKselftestByPerl: TAP::Parser of perl, which is not ours, reads back what was written.
func TestKselftestByPerl(t *testing.T) {
	need(t, "perl")
	const program = `use TAP::Parser;
		my $p = TAP::Parser->new({source => $ARGV[0]});
		while (my $r = $p->next) {
			print join("|", $r->is_actual_ok ? "ok" : "not ok", $r->number, $r->description, $r->directive), "\n" if $r->is_test;
		}
		print join("|", "plan", $p->tests_planned, $p->tests_run, $p->version, scalar $p->parse_errors), "\n";`
	path := filepath.Join(t.TempDir(), "results.tap")
	if err := os.WriteFile(path, []byte(report(t, "kselftest", sample(), all)), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command("perl", "-e", program, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	// perl's TAP knows SKIP and TODO alone
	want := `ok|1|veth-pair.iproute2 Create the namespaces|
not ok|2|veth-pair.iproute2 Create the namespaces / Mistake: a typo|
ok|3|veth-pair.iproute2 Move each end|SKIP
ok|4|veth-pair.iproute2 Look at the packets|SKIP
not ok|5|veth-pair.iproute2 Ping|
ok|6|veth-pair.iproute2 Send no. through the tunnel|
not ok|7|veth-pair.iproute2 Add the rule twice|
not ok|8|veth-pair.iproute2 Ping again|
ok|9|veth-pair.iproute2 Take it down|SKIP
ok|10|veth-pair.netlink Create the namespaces|
not ok|11|run|
plan|11|11|13|0
`
	text := regexp.MustCompile(`(?m)^(.*\|.*?)( # [^|]*)(\|.*)$`).ReplaceAllString(string(got), "$1$3")
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("(-want +read):\n%s", diff)
	}
}

// TestKselftestByNIPA: the rules by which NIPA (linux-netdev/nipa, contest/remote/lib) reads the output of a selftest, in
// which the kernel's runner puts `# ` before each line.
func TestKselftestByNIPA(t *testing.T) {
	result := regexp.MustCompile(`^(not )?ok (\d+)( \d+)?( -)? ([^#]*[^ ])( +# +)?([^ ].*)?$`)
	took := regexp.MustCompile(`time=(\d+)ms`)
	type read struct{ Name, Result, Time string }
	var got []read
	text := "TAP version 13\n1..1\n# selftests: netns: harness\n"
	for line := range strings.Lines(report(t, "kselftest", sample(), all)) {
		text += "# " + line
	}
	nested := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if nested = nested || strings.HasPrefix(line, "# TAP version "); !nested {
			continue
		}
		line, ok := strings.CutPrefix(line, "# ")
		if !ok {
			t.Fatalf("%q ends the results", line)
		}
		r := read{Result: "pass"}
		switch {
		case strings.HasPrefix(line, "not ok "):
			r.Result = "fail"
		case !strings.HasPrefix(line, "ok "):
			continue
		}
		m := result.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("NIPA stumbles over %q", line)
		}
		if r.Name = m[5]; strings.HasPrefix(strings.ToLower(m[7]), "skip") {
			r.Result = "skip"
		}
		if all := took.FindAllStringSubmatch(m[7], -1); len(all) > 0 {
			r.Time = all[len(all)-1][1]
		}
		got = append(got, r)
	}
	want := []read{
		{"veth-pair.iproute2 Create the namespaces", "pass", "3"},
		{"veth-pair.iproute2 Create the namespaces / Mistake: a typo", "fail", "3"},
		{"veth-pair.iproute2 Move each end", "skip", "6"},
		{"veth-pair.iproute2 Look at the packets", "skip", "9"},
		{"veth-pair.iproute2 Ping", "fail", "12"},
		{"veth-pair.iproute2 Send no. through the tunnel", "pass", "15"},
		{"veth-pair.iproute2 Add the rule twice", "fail", "18"},
		{"veth-pair.iproute2 Ping again", "fail", "21"},
		{"veth-pair.iproute2 Take it down", "skip", ""},
		{"veth-pair.netlink Create the namespaces", "pass", "3"},
		{"run", "fail", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +read):\n%s", diff)
	}
	// a run in which nothing failed has none of the words that NIPA takes for a failure
	r := sample()
	r.Problems, r.Suites[0].Cases = nil, []Case{r.Suites[0].Cases[0], r.Suites[0].Cases[3], r.Suites[0].Cases[5]}
	quiet := "# " + strings.ReplaceAll(report(t, "kselftest", r, all), "\n", "\n# ")
	for _, word := range []string{"[FAIL]", "[fail]", " FAIL:", "\n# not ok"} {
		if strings.Contains(quiet, word) {
			t.Errorf("%q is in a run that passed:\n%s", word, quiet)
		}
	}
}

// TestKTAPByKUnit: the kernel's own parser, tools/testing/kunit/kunit_parser.py, reads back what was written: the tree of
// tests, each with its status.
func TestKTAPByKUnit(t *testing.T) {
	need(t, "python3")
	const program = `import inspect, json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
out, sys.stdout = sys.stdout, open('/dev/null', 'w') # where the parser prints
import kunit_parser
lines = kunit_parser.extract_tap_lines(open(sys.argv[2], encoding='utf-8').read().splitlines())
errors = []
kunit_parser.Test.add_error = lambda self, message, *more: errors.append(message)
more = []
if 'printer' in inspect.signature(kunit_parser.parse_test).parameters: # of newer kernels
    import kunit_printer
    more = [kunit_printer.Printer(sys.stdout)]
test = kunit_parser.parse_test(lines, 0, [], False, *more)
def tree(t): return [t.name, t.status.name, [tree(s) for s in t.subtests]]
json.dump({'tests': [tree(s) for s in test.subtests], 'errors': errors}, out)
`
	path := filepath.Join(t.TempDir(), "results.ktap")
	if err := os.WriteFile(path, []byte(report(t, "ktap", sample(), all)), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("python3", "-c", program, kunit(t), path).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*exec.ExitError).Stderr)
	}
	var got, want any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	json.Unmarshal([]byte(`{"errors": [], "tests": [
		["veth-pair.iproute2", "FAILURE", [
			["Create the namespaces", "SUCCESS", []],
			["Create the namespaces / Mistake: a typo", "FAILURE", []],
			["Move each end", "SKIPPED", []],
			["Look at the packets", "SKIPPED", []],
			["Ping", "FAILURE", []],
			["Send no. through the tunnel", "SUCCESS", []],
			["Add the rule twice", "FAILURE", []],
			["Ping again", "FAILURE", []],
			["Take it down", "SKIPPED", []]]],
		["veth-pair.netlink", "SUCCESS", [["Create the namespaces", "SUCCESS", []]]],
		["run", "FAILURE", []]]}`), &want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +read):\n%s", diff)
	}
}

// kunit is the folder of the kernel's parser, from the tree that NETNSCHECK_KERNEL_TREE names or from Debian's package
// linux-source. A test is skipped without it.
func kunit(t *testing.T) string {
	t.Helper()
	if tree := os.Getenv("NETNSCHECK_KERNEL_TREE"); tree != "" {
		return filepath.Join(tree, "tools/testing/kunit")
	}
	archives, _ := filepath.Glob("/usr/src/linux-source-*.tar.xz")
	if len(archives) == 0 {
		missing(t, "the kernel's source, /usr/src/linux-source-*.tar.xz (package linux-source)")
	}
	dir := t.TempDir()
	name := strings.TrimSuffix(filepath.Base(archives[0]), ".tar.xz")
	tar := exec.Command("tar", "-xJf", archives[0], "-C", dir, "--strip-components=1", name+"/tools/testing/kunit")
	if output, err := tar.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return filepath.Join(dir, "tools/testing/kunit")
}

// need skips a test if a program is missing, or fails it if the environment requires all programs.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		missing(t, "the program "+program)
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("NETNSCHECK_REQUIRE") == "1" {
		t.Fatalf("%s is missing", what)
	}
	t.Skipf("%s is missing", what)
}
