package claim

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestParseItem(t *testing.T) {
	for _, c := range []struct {
		text string
		want Item   // Claim is compared by its sentence
		err  string // "" for none
	}{
		{"`n` does not reach `10.0.0.1`", Item{}, ""},
		{"`n` does not reach `10.0.0.1` at once", Item{AtOnce: true}, ""},
		{"`n` does not reach `10.0.0.1`  at  once.", Item{AtOnce: true}, ""},
		{"`n` does not reach `10.0.0.1` `at once`", Item{AtOnce: true}, ""},
		{"`n` does not reach `10.0.0.1` `at once`.", Item{AtOnce: true}, ""},
		{"`n` does not reach `10.0.0.1` within `20s`", Item{Within: 20 * time.Second}, ""},
		{"`n` does not reach `10.0.0.1` at once within `20s`", Item{}, "exclude each other"},
		{"`n` does not reach `10.0.0.1` within `20s` at once", Item{}, "exclude each other"},
		{"`n` reaches `10.0.0.1` at once", Item{},
			"`at once` belongs to negative checks: a positive one"},
		{"`n` does not reach `10.0.0.1` at onec", Item{}, "unknown check"},
		{"`n` does not reach `10.0.0.1` at", Item{}, "unknown check"},
		{"at once", Item{}, "unknown check"},
		{"the attribute `alias` of `x` in `n` is `at once`", Item{}, ""},
	} {
		got, err := ParseItem(c.text)
		if c.err != "" || err != nil {
			if err == nil || c.err == "" || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: %v, want … %s", c.text, err, c.err)
			}
			continue
		}
		if got.AtOnce != c.want.AtOnce || got.Within != c.want.Within || got.Sentence != got.Claim.Sentence() {
			t.Errorf("%q: %+v, %q", c.text, got, got.Claim.Sentence())
		}
	}
	for _, text := range []string{"`n` does not reach `10.0.0.1` at once", "`n` does not reach `10.0.0.1` `at once`"} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), "belongs to a check, not to its claim") {
			t.Errorf("%q as a claim: %v", text, err)
		}
	}
}

// TestNegativeForms: a negative form that did not say so would be judged while the state is still settling.
func TestNegativeForms(t *testing.T) {
	span, denial := regexp.MustCompile("`[^`]*`"), regexp.MustCompile(`\b(not|no|nothing|cannot|down)\b`)
	for _, f := range forms() {
		if denies := denial.MatchString(span.ReplaceAllString(f.Sentence, "")); denies != f.Negative {
			t.Errorf("%s: negative is %v", f.Sentence, f.Negative)
		}
		if c := example(f); c == nil || Negative(c) != f.Negative {
			t.Errorf("%s: its claim %v has another sign", f.Sentence, c)
		}
	}
	if !Negative(AddressIs{State: "tentative", Not: true}) {
		t.Error("a denial without a form counts as positive")
	}
}
