package transcript

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":                                    nil,
		" \t ":                                nil,
		"ip link":                             {"ip", "link"},
		"  ip\t link  ":                       {"ip", "link"},
		`echo 'a b' "c d" e\ f`:               {"echo", "a b", "c d", "e f"},
		`echo ''`:                             {"echo", ""},
		`echo a""b'c'"d"\e`:                   {"echo", "abcde"},
		`echo 'a"b\n' "c'd\n"`:                {"echo", `a"b\n`, `c'd\n`},
		`echo "\$HOME \"x\" \\ \` + "`" + `"`: {"echo", "$HOME \"x\" \\ `"},
		`echo $HOME ${X} $(date) ~ *`:         {"echo", "$HOME", "${X}", "$(date)", "~", "*"},
		`echo a|b c>d e&f g;`:                 {"echo", "a|b", "c>d", "e&f", "g;"},
		`echo '|' "&&" \; '>x' \# "#"`:        {"echo", "|", "&&", ";", ">x", "#", "#"},
		`echo a#b`:                            {"echo", "a#b"},
		"ip \\\n  link":                       {"ip", "link"},
		"ip li\\\nnk":                         {"ip", "link"},
		"\"a\\\nb\" 'c\\\nd'":                 {"ab", "c\\\nd"},
		"echo é 日本":                           {"echo", "é", "日本"},
		"env COLUMNS=80 ip":                   {"env", "COLUMNS=80", "ip"},
	} {
		got, err := Words(line)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got\n%s", line, diff)
		}
	}
	for line, want := range map[string]string{
		`echo 'a`:             "a single quote is not closed",
		`echo "a`:             "a double quote is not closed",
		`echo "a\"`:           "a double quote is not closed",
		`echo a\`:             `nothing follows the \`,
		"ip link | head":      `"|" is no operator here: write sh -c`,
		"a && b":              `"&&" is no operator`,
		"a || b":              `"||" is no operator`,
		"a ; b":               `";" is no operator`,
		"sleep 1 &":           `"&" is no operator`,
		"echo 1 > /proc/x":    `">" is no operator`,
		"echo 1 >/proc/x":     `">/proc/x" is no operator`,
		"echo 1 2>/dev/null":  `"2>/dev/null" is no operator`,
		"echo 1 2>&1":         `"2>&1" is no operator`,
		"cat <file":           `"<file" is no operator`,
		"ip link # the links": `"#" begins no comment here`,
		"COLUMNS=80 ip link":  `"COLUMNS=80" sets no variable here: write sh -c`,
	} {
		if got, err := Words(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; want an error with %s", line, got, err, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"ip link", `echo 'a b' "c d" e\ f`, `a\`, "'", `"\"`, "a \\\n b", "a | b", "# x",
		`a'b'"c\d\""\ e#`, "''\"\"", "a\tb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := Words(line)
		if err != nil {
			return
		}
		// Words that are quoted and joined split into the same words.
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		again, err := Words(strings.Join(quoted, " "))
		if err != nil {
			t.Fatalf("%q: %v", quoted, err)
		}
		if diff := cmp.Diff(words, again); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
		if theirs, ok := shellWords(t, line); ok {
			if diff := cmp.Diff(theirs, words); diff != "" {
				t.Errorf("%q: -a shell +Words\n%s", line, diff)
			}
		}
	})
}

// shellWords are the words of a line as the parser of mvdan.cc/sh reads them. It is not ok if the line has operators or
// expansions of the shell, or cannot be in a scenario.
func shellWords(t *testing.T, line string) (words []string, ok bool) {
	const shellsOwn = "$`|&;<>()~*?[{=!#\n\r\x00"
	if strings.ContainsAny(line, shellsOwn) || !utf8.ValidString(line) {
		return nil, false
	}
	var parsed []*syntax.Word
	p := syntax.NewParser(syntax.Variant(syntax.LangPOSIX))
	for w, err := range p.WordsSeq(strings.NewReader(line)) {
		if err != nil {
			t.Fatalf("%q: a shell does not read it: %v", line, err)
		}
		parsed = append(parsed, w)
	}
	words, err := expand.Fields(&expand.Config{}, parsed...)
	if err != nil {
		t.Fatalf("%q: a shell does not expand it: %v", line, err)
	}
	return words, true
}
