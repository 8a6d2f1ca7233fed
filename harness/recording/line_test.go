package recording

import (
	"strings"
	"testing"
)

func TestReadLine(t *testing.T) {
	for text, want := range map[string]Line{
		"":                            {},
		"  ":                          {},
		"# a remark":                  {},
		"# see: nothing":              {},
		"# step: Make it":             {Kind: BeginStep, Text: "Make it"},
		"#Step:Make it  ":             {Kind: BeginStep, Text: "Make it"},
		"# mistake: typo in `lo`":     {Kind: BeginMistake, Text: "typo in `lo`"},
		"# fix":                       {Kind: BeginFix},
		"# Fix:":                      {Kind: BeginFix},
		" ip netns add a\n":           {Kind: Run, Text: "ip netns add a"},
		"sh -c 'ip link | wc -l'\r\n": {Kind: Run, Text: "sh -c 'ip link | wc -l'"},
	} {
		got, err := ReadLine(text)
		if err != nil || got.Kind != want.Kind || got.Text != want.Text {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"# step:":                          "the title is missing: write # step: TITLE",
		"# step":                           "the title is missing: write # step: TITLE",
		"# stepp: x":                       `there is no marker "stepp", did you mean # step: …?`,
		"# misteak: x":                     "did you mean # mistake: …?",
		"# fix: x":                         "a fix has no title",
		"# step: Setup":                    "a step cannot be called Setup",
		"# step: a <!-- b":                 "which mean something in Markdown",
		"# step: {{x}}":                    "which mean something in Markdown",
		"ip link | wc -l":                  `"|" is no operator here`,
		"echo {{x}}":                       "{{ begins a variable",
		"echo \x1b[2J":                     "printable characters only",
		"echo \xff":                        "printable characters only",
		"echo " + strings.Repeat("x", 5e3): "at most 4096 bytes",
	} {
		if got, err := ReadLine(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %+v, %v; want %s", text, got, err, want)
		}
	}
}

func FuzzReadLine(f *testing.F) {
	for _, s := range []string{"# step: x", "# fix", "ip link", "#", "# mistake: `x", "echo 'a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, err := ReadLine(text)
		if err != nil {
			return
		}
		if strings.Contains(line.Text, "\n") && line.Kind != Run {
			t.Errorf("%q: a title of several lines", text)
		}
	})
}
