package claim

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/state"
)

// TestEntries walks all entries and fails for one without a slot, a sentence, a judgement or a mutant.
func TestEntries(t *testing.T) {
	places := map[int]string{}
	for _, e := range Entries() {
		if len(e.Forms) == 0 {
			t.Errorf("the entry at place %d has no form", e.Place)
			continue
		}
		name := e.Forms[0].Sentence
		if other := places[e.Place]; e.Place <= 0 || other != "" {
			t.Errorf("%s: the place %d is taken by %q or is none", name, e.Place, other)
		}
		places[e.Place] = name
		if e.Means == "" || strings.ContainsAny(e.Means, "\n|") {
			t.Errorf("%s: Means is %q, want one line that fits into a table", name, e.Means)
		}
		broken := false
		for _, f := range e.Forms {
			for _, problem := range formProblems(e, f) {
				t.Errorf("%s: %s", f.Sentence, problem)
			}
			if c := example(f); c != nil {
				broken = broken || len(c.Mutants().Own) > 0
			}
		}
		if !broken {
			t.Errorf("%s: no way to make any form of it false", name)
		}
		for _, word := range unusedWords(e) {
			t.Errorf("%s: no form uses `%s`, which is a slot or a fixed word of the entry", name, word)
		}
	}
}

// example is the claim of a form with its examples as arguments, nil if they do not parse.
func example(f Form) (c Claim) {
	defer func() { _ = recover() }() // formProblems reports it
	c, err := Parse(f.Examples()[0])
	if err != nil {
		return nil
	}
	return c
}

func formProblems(e Entry, f Form) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	defer func() {
		if r := recover(); r != nil {
			problem("it panics: %v", r)
		}
	}()
	for _, ph := range f.phrases {
		for _, p := range ph.parts {
			if p.span && p.slot == nil && !slices.Contains(e.Fixed, p.word) {
				problem("`%s` is neither a slot nor a fixed word", p.word)
			}
		}
	}
	for _, a := range f.Arguments() {
		if a.What == "" {
			problem("nothing says what is expected for `%s`", a.Example)
		}
	}
	for _, sentence := range f.Examples() {
		for _, g := range forms() {
			if g.Sentence != f.Sentence && g.Fits(sentence) {
				problem("%q fits “%s” too", sentence, g.Sentence)
			}
		}
		if nearest := nearestForm(tokenize(sentence)); strings.TrimSuffix(nearest, " "+more) != sentence {
			problem("the form nearest to %q is “%s”", sentence, nearest)
		}
		c, err := Parse(sentence)
		if err != nil {
			problem("read it: %v", err)
			continue
		}
		if said := c.Sentence(); said != sentence {
			problem("it is said as %q", said)
		}
		if again, err := Parse(c.Sentence()); err != nil || !cmp.Equal(c, again, compareAddresses) {
			problem("read again it is %v, %v", again, err)
		}
		problems = append(problems, claimProblems(c)...)
	}
	return problems
}

func claimProblems(c Claim) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	needs := c.Needs()
	asks := needs.Class >= ByKernel
	switch {
	case needs.Class == 0:
		problem("Needs says no class")
	case asks != (needs.Question != nil):
		problem("the class %d and the question %v do not go together", needs.Class, needs.Question)
	case asks && needs.Question.Where() == "":
		problem("the question %v is asked of no namespace", needs.Question)
	case asks && !reflect.TypeOf(needs.Question).Comparable():
		problem("the question %v is not comparable", needs.Question)
	}
	found := c.Judge(Evidence{State: &state.State{}})
	if !asks && (found.Found == "" || found.Err != nil) {
		problem("in a state without its subjects it finds %+v", found)
	}
	mutants := c.Mutants()
	for _, w := range slices.Concat(mutants.Own, mutants.Gone) {
		if w.Name == "" || w.Commands == nil {
			problem("a mutant without a name or commands: %q", w.Name)
			continue
		}
		for _, line := range w.Commands(&state.State{}) {
			if strings.Contains(line, "%!") {
				problem("a mutant's command is %q", line)
			}
		}
	}
	return problems
}

// unusedWords are the slots and fixed words of an entry that none of its forms uses.
func unusedWords(e Entry) (words []string) {
	for _, word := range append(e.Fixed, slices.Sorted(maps.Keys(e.Slots))...) {
		if !slices.ContainsFunc(e.Forms, func(f Form) bool { return strings.Contains(f.Sentence, "`"+word+"`") }) {
			words = append(words, word)
		}
	}
	return words
}

// TestEveryClaimHasAnEntry: no form would make a claim of a type without an entry.
func TestEveryClaimHasAnEntry(t *testing.T) {
	made := map[string]bool{}
	for _, f := range forms() {
		if c := example(f); c != nil {
			made[reflect.TypeOf(c).Name()] = true
		}
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	types := 0
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") {
			continue
		}
		syntax, err := parser.ParseFile(gotoken.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != "Sentence" || f.Recv == nil {
				continue
			}
			types++
			if name := f.Recv.List[0].Type.(*ast.Ident).Name; !made[name] {
				t.Errorf("%s: no form of an entry makes the claim %s", file.Name(), name)
			}
		}
	}
	if types < 20 {
		t.Fatalf("only %d kinds of claims are found", types)
	}
}
