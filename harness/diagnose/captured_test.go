package diagnose

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/state"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestCaptured diagnoses states captured from a real kernel (proof, TestCapture), and compares with the golden files.
func TestCaptured(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d captured states: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c struct {
				Made  []string
				Query Query
				State *state.State
			}
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			r := Diagnose(c.State, c.Query)
			if cause := name[:strings.LastIndexByte(name, '-')]; r.Cause == nil || r.Cause.Name.String() != cause {
				t.Errorf("the cause is %+v, want %s", r.Cause, cause)
			}
			golden(t, strings.TrimSuffix(file, ".json")+".golden", c.Made, r)
		})
	}
}

// golden compares a report, as text, with a file.
func golden(t *testing.T, file string, made []string, r Report) {
	t.Helper()
	var out bytes.Buffer
	for _, line := range made {
		fmt.Fprintln(&out, "$", line)
	}
	fmt.Fprintf(&out, "from %s to %s\n", r.From, r.To)
	for _, h := range r.Path {
		fmt.Fprintf(&out, "  %s%s %s: %s%s\n", map[bool]string{true: "back: "}[h.Reply], h.Netns, h.Link, h.Decision,
			map[bool]string{true: " ✗"}[h.Stop])
	}
	write := func(c finding.Cause) {
		fmt.Fprintf(&out, "%s, %s%s\n  %s\n", c.Name, c.Place(), map[bool]string{true: " (reply)"}[c.Reply], c.Says)
		for _, line := range c.Evidence {
			fmt.Fprintln(&out, "  |", line)
		}
		for _, line := range c.Repair {
			fmt.Fprintln(&out, "  $", line)
		}
		for _, line := range c.Advice {
			fmt.Fprintln(&out, "  >", line)
		}
	}
	if r.Cause != nil {
		write(*r.Cause)
	}
	for _, c := range r.Also {
		fmt.Fprint(&out, "also: ")
		write(c)
	}
	for _, d := range r.Doubts {
		fmt.Fprintln(&out, "doubt:", d)
	}
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, out.Bytes()) {
		t.Errorf("%s: -want\n%s\n+got\n%s", file, want, out.Bytes())
	}
}

// runnable is the beginning of a command that can be run as it is.
var runnable = regexp.MustCompile(
	`^(ip (netns add|-n |-6 |link|addr|route|rule|neigh|netns exec)|` +
		`nsenter -t |rm /run/netns/|(sysctl -w|nft|bridge|tc) )`)

// placeholder is a word to fill in.
var placeholder = regexp.MustCompile(`\b(GATEWAY|IFACE|OTHER|PID|ADDRESS|LENGTH)\b`)

// judgeRepair checks that repairs are commands that can be run, and advice is not.
func judgeRepair(t *testing.T, c finding.Cause) {
	t.Helper()
	for _, line := range c.Repair {
		if !runnable.MatchString(line) || placeholder.MatchString(line) || strings.HasSuffix(line, " netns host") {
			t.Errorf("%s, %s: %q cannot be run as it is", c.Name, c.Place(), line)
		}
	}
	for _, line := range c.Advice {
		// there it is one of several questions
		if runnable.MatchString(line) && !placeholder.MatchString(line) && c.Name != causes.ScopeMissing {
			t.Errorf("%s, %s: %q could be run as it is", c.Name, c.Place(), line)
		}
	}
}

// TestEveryPair makes every query that a captured state allows: each has an answer, with a place and evidence.
func TestEveryPair(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "*.json"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c struct{ State *state.State }
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		for _, from := range c.State.Namespaces {
			for _, n := range c.State.Namespaces {
				for _, l := range n.Links {
					for _, a := range l.Addresses {
						r := Diagnose(c.State, Query{From: from.Name, To: a.Prefix.Addr(), Size: 1400})
						for _, also := range r.Also {
							judgeRepair(t, also)
						}
						if r.Cause != nil {
							judgeRepair(t, *r.Cause)
						}
						if c := r.Cause; c != nil && (!c.Name.Valid() || c.Netns == "" || c.Says == "" ||
							len(c.Evidence) == 0 && c.Name != causes.MacvlanParent ||
							len(c.Repair)+len(c.Advice) == 0) {
							t.Errorf("%s: from %s to %s: %+v", file, from.Name, a.Prefix.Addr(), *c)
						}
					}
				}
			}
		}
	}
}

// TestCapturedRedacted: the diagnosis of each captured state stays the same when filters, names and all are redacted.
func TestCapturedRedacted(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d captured states: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Query Query
			State *state.State
		}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		redacted, r := state.Redact(c.State, []byte(file))
		want := summary(Diagnose(c.State, c.Query))
		c.Query.From, c.Query.To, c.Query.Source = r.Text(c.Query.From), r.Addr(c.Query.To), r.Addr(c.Query.Source)
		redacted.Asked = append(redacted.Asked, c.Query.To.WithZone("")) // as for a saved state
		if got := summary(Diagnose(redacted, c.Query)); got != r.Text(want) {
			t.Errorf("%s: redacted, it is told:\n%s\ninstead of:\n%s", file, got, r.Text(want))
		}
	}
}

// summary is a report without addresses.
func summary(r Report) string {
	var out bytes.Buffer
	for _, h := range r.Path {
		fmt.Fprintln(&out, h.Netns, h.Link, h.Reply, h.Stop)
	}
	if r.Cause != nil {
		fmt.Fprintln(&out, r.Cause.Name, r.Cause.Place(), r.Cause.Reply, len(r.Cause.Repair), len(r.Cause.Advice))
	}
	for _, c := range r.Also {
		fmt.Fprintln(&out, "also", c.Name, c.Place())
	}
	fmt.Fprintln(&out, len(r.Doubts))
	return out.String()
}
