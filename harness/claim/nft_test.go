package claim

import (
	"strings"
	"testing"
)

// TestNftWords: two spellings of a rule are the same, and other rules are not.
func TestNftWords(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"tcp dport 22 accept", " tcp  dport\t22 accept ", true},
		{"tcp dport { 22, 80 } accept", "tcp dport {22,80} accept", true},
		{`iifname "lo" accept`, "iifname lo accept", true},
		{"counter accept", "counter packets 3 bytes 252 accept", true},
		{"accept", "accept # handle 12", true},
		{"meta mark set 7", "meta mark set 0x00000007", true},
		{"meta mark set { 0x1f, 2 }", "meta mark set {31,0x2}", true},
		{"meta mark set 7", "meta mark set 0x00000070", false},
		{"meta mark set 0xg7", "meta mark set 7", false},
		{"quota over 25 mbytes drop", "quota over 25 mbytes used 1 kbytes drop", true},
		{"limit rate 5/second accept", "limit rate 5/second burst 5 packets accept", true},
		{"limit rate 5/second accept", "limit rate 5/second burst 6 packets accept", false},
		{"counter accept", "counter bytes 252 packets 3 accept", false},
		{`accept comment "a  b"`, `accept comment "a b"`, true},
		{"tcp dport 22 accept", "tcp dport 22 drop", false},
		{"tcp dport 22 accept", "tcp dport 22", false},
		{"tcp dport 22 counter accept", "tcp dport 22 accept", false},
		{"tcp dport { 22, 80 } accept", "tcp dport { 80, 22 } accept", false},
		{`log prefix "in: drop"`, `log prefix "in:" drop`, false},
		{`accept comment "x`, "accept comment x", false},
	} {
		if got := sameInNft(c.a, c.b); got != c.same || sameInNft(c.b, c.a) != got {
			t.Errorf("%s and %s: the same %v, want %v", c.a, c.b, got, c.same)
		}
	}
}

// TestNftArguments: nft gets nothing to read but the name and the element that a check asks for.
func TestNftArguments(t *testing.T) {
	for sentence, want := range map[string]string{
		"the chain `input` in `n` has the rule `accept`": "expected the family, the table and " +
			"the name of a chain",
		"the chain `filter input` in `n` has the rule `accept`": "expected the family, the table and " +
			"the name of a chain",
		"the chain `inte filter input` in `n` has the rule `accept`":        `unknown family "inte", did you mean inet?`,
		"the chain `ip filter input;flush` in `n` has the rule `accept`":    `expected a name that nft takes, found "input;flush"`,
		"the chain `ip filter input` in `n` has the rule ` `":               "expected a rule, found none",
		"the chain `ip filter input` in `n` has the rule `log prefix \"in`": "a quote is not closed",
		"the chain `ip filter input` in `n` has a rule `accept`": "the nearest form is “the chain " +
			"`inet filter input` in `N` has the rule",
		"the chain `ip filter input` in `n` hasn't the rule `accept`": "the nearest form is “the chain " +
			"`inet filter input` in `N`",
		"the nft set `inet filter` in `n` contains `10.0.0.1`": "expected the family, the table and " +
			"the name of a set",
		"the nft set `ip filter s` in `n` contains `10.0.0.1, 10.0.0.2`":      "expected one element of a set",
		"the nft set `ip filter s` in `n` contains `{ 10.0.0.1 }`":            "expected one element of a set",
		"the nft set `ip filter s` in `n` contains `1 }; flush ruleset; # {`": "expected one element of a set",
		"the nft set `ip filter s` in `n` contains `22 : accept`": "expected the key of a map without " +
			"its value",
		"the set `ip filter s` in `n` contains `22`": "the nearest form is “the nft set `inet filter " +
			"blocked` in `N` contains `10.0.0.1`”",
		"the nft set `ip filter s` in `n` does not contains `22`": "the nearest form is “the nft set `inet filter " +
			"blocked` in `N` does not contain",
	} {
		if _, err := Parse(sentence); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want … %s", sentence, err, want)
		}
	}
}

// TestElementKey: what nft lists behind a key is no part of it.
func TestElementKey(t *testing.T) {
	for element, want := range map[string]string{
		"22":                                   "22",
		"10.0.0.1 . 80 timeout 1h expires 59m": "10.0.0.1 . 80",
		`22 comment "drop : all"`:              "22",
		"22 : jump other":                      "22",
		"fd00::1 counter packets 0 bytes 0 : drop": "fd00::1",
	} {
		if got := elementKey(element); got != want {
			t.Errorf("%s: %q, want %q", element, got, want)
		}
	}
}

// FuzzNftWords: no text is another rule than itself, and none that can be read is another one when blanks are added.
func FuzzNftWords(f *testing.F) {
	for _, rule := range []string{"tcp dport { 22, 80 } accept", `log prefix "in: " counter packets 1 bytes 2 drop`,
		`accept comment "x`, "# handle 3", "{,}"} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		if !sameInNft(rule, rule) {
			t.Errorf("%q is not the same as itself", rule)
		}
		if _, err := nftWords(rule); err == nil && !sameInNft(" "+rule+"\t", rule) {
			t.Errorf("%q is another rule with blanks around it", rule)
		}
	})
}
