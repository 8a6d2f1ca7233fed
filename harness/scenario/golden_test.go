package scenario

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"netnscheck/harness/claim"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// samples are the scenarios in testdata, which CI also runs on a kernel.
func samples(t testing.TB) map[string]*Scenario {
	t.Helper()
	files, err := filepath.Glob("testdata/*.md")
	if err != nil || len(files) < 4 {
		t.Fatalf("samples in testdata: %d, %v", len(files), err)
	}
	all := map[string]*Scenario{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := Parse(file, src)
		if err != nil {
			t.Fatal(err)
		}
		all[sc.ID] = sc
	}
	return all
}

// TestSamples compares the parsed samples with the golden files: each section, command and claim with its line.
func TestSamples(t *testing.T) {
	for id, sc := range samples(t) {
		t.Run(id, func(t *testing.T) {
			if problems := Review(sc); len(problems) > 0 {
				t.Error(problems)
			}
			golden := filepath.Join("testdata", id+".golden")
			got := dump(sc)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// dump is a scenario as text, with line numbers.
func dump(sc *Scenario) string {
	var b strings.Builder
	names := []string{}
	for _, v := range sc.Vars {
		names = append(names, v.Name)
	}
	fmt.Fprintf(&b, "%s %q %s level %d requires %q vars %q\n", sc.ID, sc.Title, sc.Kind, sc.Level, sc.Requires, names)
	for _, v := range sc.Vars {
		fmt.Fprintf(&b, "%4d variable %s = %q, default %q of %q\n", v.Line, v.Name, v.Value, v.Default, v.Choices)
	}
	if sc.Points > 0 {
		fmt.Fprintf(&b, "     points %d\n", sc.Points)
	}
	for _, i := range sc.Host.Interfaces {
		fmt.Fprintf(&b, "%4d host interface %s %v\n", i.Line, i.Name, i.Addresses)
	}
	for _, r := range sc.Host.Routes {
		fmt.Fprintf(&b, "%4d host route %s\n", r.Line, r.Text)
	}
	if sc.Setup != nil {
		dumpSection(&b, "setup", sc.Setup)
	}
	for _, step := range sc.Steps {
		dumpSection(&b, "step", &step.Section)
		if step.Points > 0 {
			fmt.Fprintf(&b, "     points %d\n", step.Points)
		}
		for _, m := range step.Mistakes {
			dumpSection(&b, "mistake", &m.Section)
			if len(m.Fix) > 0 {
				fmt.Fprintf(&b, "     fix, undo %v\n", m.Undo)
			}
			dumpBlocks(&b, m.Fix)
		}
	}
	return b.String()
}

func dumpSection(b *strings.Builder, what string, s *Section) {
	fmt.Fprintf(b, "\n%4d %s %q\n", s.Line, what, s.Title)
	dumpBlocks(b, s.Blocks)
	for _, c := range s.Checks {
		kind := reflect.TypeOf(c.Claim).Name()
		once := ""
		if c.AtOnce {
			once = " at once"
		}
		fmt.Fprintf(b, "%4d check before=%v within=%v%s scenario.%s %s\n", c.Line, c.Before, c.Within, once, kind,
			c.Claim.Sentence())
		if c.Fail.Text != "" {
			fmt.Fprintf(b, "%4d-%d fail %q\n", c.Fail.Line, c.Fail.End, c.Fail.Text)
		}
	}
	for _, h := range s.Hints {
		fmt.Fprintf(b, "%4d hint %q\n", h.Line, h.Text)
	}
}

func dumpBlocks(b *strings.Builder, blocks []Block) {
	for _, block := range blocks {
		fmt.Fprintf(b, "%4d block drivers=%v errno=%q partial=%v %v\n",
			block.Line, block.Drivers, block.Errno, block.Partial, block.Conditions)
		for _, c := range block.Commands {
			fmt.Fprintf(b, "%4d   $ %s\n           argv %q\n", c.Line, c.Text, c.Argv)
			if c.Compared || c.Status != (Status{}) {
				fmt.Fprintf(b, "           compared=%v output %q status %+v\n", c.Compared, c.Output, c.Status)
			}
		}
	}
}

// TestSamplesUseEverything: the samples use every word of console blocks, and the samples or the catalogue every form
// of a check and every qualifier. Both are played on a kernel.
func TestSamplesUseEverything(t *testing.T) {
	used := map[string]bool{}
	words := map[string]bool{}
	blocks := func(blocks []Block, fix, undo bool) {
		for _, b := range blocks {
			words["fix"] = words["fix"] || fix && !undo
			words["fix undo"] = words["fix undo"] || undo
			words["partial"] = words["partial"] || b.Partial
			words["errno="] = words["errno="] || b.Errno != ""
			for _, d := range b.Drivers {
				words[d] = true
			}
			for _, c := range b.Conditions {
				words[c.Subject+c.Op] = true
			}
			for _, c := range b.Commands {
				words["[!]"] = words["[!]"] || c.Status.Any
				words[nothingWord] = words[nothingWord] || c.Silent() && c.Status.Code == 0
				words["(nothing) with a status line"] = words["(nothing) with a status line"] || c.Silent() &&
					c.Status.Code > 0
				words["[N]"] = words["[N]"] || c.Status.Code > 0
				words["a status line alone"] = words["a status line alone"] || c.Status.Code > 0 && !c.Compared
				words["output with a status line"] = words["output with a status line"] || c.Status.Code > 0 &&
					c.Compared
			}
		}
	}
	section := func(s *Section) {
		blocks(s.Blocks, false, false)
		for _, c := range s.Checks {
			for _, example := range examplesUsed(t, c.Text) {
				used[example] = true
			}
		}
	}
	for _, sc := range samples(t) {
		for _, step := range sc.Steps {
			section(&step.Section)
			for _, m := range step.Mistakes {
				section(&m.Section)
				blocks(m.Fix, true, m.Undo)
			}
		}
	}
	for _, text := range checksOfTheCatalogue(t) {
		for _, example := range examplesUsed(t, text) {
			used[example] = true
		}
	}
	for _, e := range claim.Entries() {
		for _, f := range e.Forms {
			for _, example := range f.Examples() {
				if !used[example] {
					t.Errorf("no sample and no scenario of the catalogue uses the form “%s”", example)
				}
			}
		}
	}
	for _, word := range []string{"fix", "fix undo", "partial", "errno=", "iproute2", "busybox", "netlink", "kernel>=",
		"kernel<",
		"kernel<=", "kernel>", "iproute2>=", "iproute2<", "busybox>=", "with=", "without=", "[!]", "[N]",
		"a status line alone", "output with a status line", nothingWord, "(nothing) with a status line"} {
		if !words[word] {
			t.Errorf("no sample uses %s", word)
		}
	}
}

// examplesUsed are the examples of a check's form and qualifiers.
func examplesUsed(t *testing.T, sentence string) []string {
	t.Helper()
	for _, e := range claim.Entries() {
		for _, f := range e.Forms {
			if examples := f.Uses(sentence); len(examples) > 0 {
				return examples
			}
		}
	}
	t.Fatalf("no form fits %q", sentence)
	return nil
}

// checksOfTheCatalogue are the sentences of all checks in the catalogue.
func checksOfTheCatalogue(t *testing.T) (sentences []string) {
	t.Helper()
	files, err := filepath.Glob("../../scenarios/*/*.md")
	if err != nil || len(files) < 20 {
		t.Fatalf("scenarios of the catalogue: %d, %v", len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := Parse(file, src)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range sc.Steps {
			sections := []Section{step.Section}
			for _, m := range step.Mistakes {
				sections = append(sections, m.Section)
			}
			for _, s := range sections {
				for _, c := range s.Checks {
					sentences = append(sentences, c.Text)
				}
			}
		}
	}
	return sentences
}
