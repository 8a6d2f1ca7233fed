package claim

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/nearest"
)

// NftName is the name of a chain, a set or a map of nftables, with the family and the table in which it is.
type NftName struct{ Family, Table, Name string }

func (n NftName) String() string { return n.Family + " " + n.Table + " " + n.Name }

// nftFamilies are the families of tables (nft(8)).
var nftFamilies = []string{"inet", "ip", "ip6", "arp", "bridge", "netdev"}

// nftIdentifier is an identifier of nft(8). Nothing else is passed on to nft, which would read further commands in it.
var nftIdentifier = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9/\\_.-]*$`)

func nftName(object string) Slot {
	what := fmt.Sprintf("the family, the table and the name of a %s", object)
	return Slot{what, func(text string) (any, error) {
		words := strings.Fields(text)
		if len(words) != 3 {
			return nil, expected(text, what)
		}
		if err := oneOf("family", nftFamilies)(words[0]); err != nil {
			return nil, err
		}
		for _, word := range words[1:] {
			if !nftIdentifier.MatchString(word) {
				return nil, expected(word, "a name that nft takes")
			}
		}
		return NftName{words[0], words[1], words[2]}, nil
	}}
}

func (a arguments) nft(i int) NftName { return a[i].(NftName) }

// missingFrom describes what has no object of this name, and the object that may be meant.
func (n NftName) missingFrom(netns, kind string, known []NftName) Finding {
	text := fmt.Sprintf("there is no %s %s in %s", kind, n, netns)
	var names []string
	for _, other := range known {
		names = append(names, other.String())
	}
	if near, ok := nearest.Word(n.String(), names); ok {
		return finding(false, text+"; the nearest is "+near)
	}
	return finding(false, fmt.Sprintf("%s; the %ss: %s", text, kind, orNone(strings.Join(names, ", "))))
}

// nftWords are the words of a rule or an element as two spellings of it are compared: blanks folded, braces and commas
// apart, quotes removed, hexadecimal numbers in decimal (nft prints a mark of 7 as 0x00000007). The handle at the end
// and what is unsaid are left out.
func nftWords(text string) ([]string, error) {
	var words []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		switch end := strings.IndexAny(text, " \t\n\"{},"); {
		case text[0] == '"':
			length := strings.IndexByte(text[1:], '"')
			if length < 0 {
				return nil, fmt.Errorf("a quote is not closed in %q", text)
			}
			words = append(words, foldBlanks(text[1:1+length]))
			text = text[length+2:]
		case end == 0:
			words, text = append(words, text[:1]), text[1:]
		case end < 0:
			words, text = append(words, inDecimal(text)), ""
		default:
			words, text = append(words, inDecimal(text[:end])), text[end:]
		}
	}
	if n := len(words); n > 2 && words[n-3] == "#" && words[n-2] == "handle" {
		words = words[:n-3]
	}
	for i := 0; i < len(words); i++ {
		words = slices.Delete(words, i, i+unsaid(words[i:], words[:i]))
	}
	return words, nil
}

// inDecimal is the word, or if it is a hexadecimal number of 64 bits at most, its value in decimal.
func inDecimal(word string) string {
	if digits, is := strings.CutPrefix(word, "0x"); is {
		if value, err := strconv.ParseUint(digits, 16, 64); err == nil {
			return strconv.FormatUint(value, 10)
		}
	}
	return word
}

// unsaid is the number of words at the start of rest that do not count: the values of a counter and of a quota, which
// nft -s leaves out too, and the default burst of a limit, which only some versions of nft print (nft(8)).
func unsaid(rest, before []string) int {
	last := ""
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch {
	case len(rest) >= 4 && last == "counter" && rest[0] == "packets" && rest[2] == "bytes":
		return 4
	case len(rest) >= 3 && rest[0] == "used" && slices.Contains(before, "quota"):
		return 3
	case len(rest) >= 3 && slices.Equal(rest[:3], []string{"burst", "5", "packets"}) &&
		slices.Contains(before, "limit"):
		return 3
	}
	return 0
}

var blanks = regexp.MustCompile(`\s+`)

func foldBlanks(text string) string { return blanks.ReplaceAllString(text, " ") }

// sameInNft reports whether two texts are two spellings of one rule or element. A text with an open quote is no
// spelling of any other.
func sameInNft(a, b string) bool {
	one, err := nftWords(a)
	if err != nil {
		return foldBlanks(a) == foldBlanks(b)
	}
	other, err := nftWords(b)
	return err == nil && slices.Equal(one, other)
}
