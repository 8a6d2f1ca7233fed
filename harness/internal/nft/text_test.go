package nft

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRulesIn reads what nft prints of a chain: lines that are no rules, wrapped rules, line breaks in comments.
func TestRulesIn(t *testing.T) {
	const before = "table inet filter {\n\tchain input { # handle 1\n"
	const after = "\t}\n}\n"
	for lines, want := range map[string][]string{
		"": nil,
		"\t\tcomment \"mine\"\n\t\ttype filter hook input priority filter; policy drop;\n": nil,
		"\t\ttcp dport 22 accept # handle 3\n\t\tdrop # handle 14\n": {"tcp dport 22 accept",
			"drop"},
		"\t\ttcp dport { 1, 2,\n\t\t\t     3 } accept # handle 3\n":  {"tcp dport { 1, 2, 3 } accept"},
		"\t\taccept comment \"a\n\t\tdrop # handle 9\" # handle 3\n": {"accept comment \"a\n\t\tdrop # handle 9\""},
		"\t\taccept comment \"# handle 9\" # handle 3\n":             {`accept comment "# handle 9"`},
	} {
		got, err := rulesIn(before + lines + after)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v, -want +got\n%s", lines, err, diff)
		}
	}
	for _, output := range []string{"", "Error: what?\n", before + "\t\ttcp dport 22 accept\n" + after} {
		if rules, err := rulesIn(output); err == nil {
			t.Errorf("%q: %q, want an error", output, rules)
		}
	}
}

// TestElementsIn reads what nft prints of a set.
func TestElementsIn(t *testing.T) {
	for lines, want := range map[string][]string{
		"":                            nil,
		"\t\telements = { 22, 80 }\n": {"22", "80"},
		"\t\telements = { 10.0.0.1,\n\t\t\t     10.0.0.2 }\n":   {"10.0.0.1", "10.0.0.2"},
		"\t\telements = { 22 comment \"a, b }\", 80 : drop }\n": {`22 comment "a, b }"`, "80 : drop"},
	} {
		got, err := elementsIn("table ip t {\n\tset s {\n\t\ttype inet_service\n" + lines + "\t}\n}\n")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v, -want +got\n%s", lines, err, diff)
		}
	}
	if elements, err := elementsIn("elements = { 22,\n"); err == nil || !strings.Contains(err.Error(), "do not end") {
		t.Errorf("elements without an end: %q, %v", elements, err)
	}
}

// FuzzListing: whatever nft prints is read or refused.
func FuzzListing(f *testing.F) {
	f.Add("table ip t {\n\tchain c { # handle 1\n\t\taccept comment \"a\n\" # handle 2\n\t}\n}\n")
	f.Add("table ip t {\n\tset s {\n\t\telements = { 22 comment \"a, b }\",\n80 : drop }\n\t}\n}\n")
	f.Fuzz(func(t *testing.T, output string) {
		if rules, err := rulesIn(output); err != nil && rules != nil {
			t.Errorf("%q: rules with the error %v", output, err)
		}
		if elements, err := elementsIn(output); err != nil && elements != nil {
			t.Errorf("%q: elements with the error %v", output, err)
		}
	})
}
