package term

import (
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"plain\ttext\n":               "plain\ttext\n",
		"Grüße, 世界 \U0001f600":        "Grüße, 世界 \U0001f600",
		"⚠\ufe0f as an emoji":         "⚠\ufe0f as an emoji",
		"\x1b[31mred":                 `\x1b[31mred`,
		"\x00\x07\x7f\r":              `\x00\x07\x7f\x0d`,
		"a\xffb":                      `a\xffb`,
		"\xed\xa0\x80":                `\xed\xa0\x80`, // a surrogate
		"\u0085\u009b":                `\u0085\u009b`,
		"\u202egnp.exe":               `\u202egnp.exe`,
		"\u2066a\u2069\u200f\u061c":   `\u2066a\u2069\u200f\u061c`,
		"in\u200bvisible\u00ad\ufeff": `in\u200bvisible\u00ad\ufeff`,
		"\u2028\u2029":                `\u2028\u2029`,
		"\U000e0041\u3164":            `\U000e0041\u3164`, // a tag, a filler
		"\ufffe\uffff":                `\ufffe\uffff`,
		"\ufffd is a character":       "\ufffd is a character",
		"truncated \xe4\xb8":          `truncated \xe4\xb8`,
		"back\\slash stays as \\x":    "back\\slash stays as \\x",
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
		if again := Printable(want); again != want {
			t.Errorf("Printable is not done after one time: %q became %q", want, again)
		}
		one := strings.NewReplacer("\n", `\x0a`, "\t", `\x09`).Replace(want)
		if got := OneLine(in); got != one {
			t.Errorf("OneLine(%q) = %q, want %q", in, got, one)
		}
	}
}
