package term

import "testing"

func TestShellWord(t *testing.T) {
	for word, want := range map[string]string{
		"veth-pair": "veth-pair", "my/labs/é.md": "my/labs/é.md", "my labs": "'my labs'", "it's": `'it'\''s'`,
		"$(x)": "'$(x)'", "": "''", "~/a": "'~/a'",
	} {
		if got := ShellWord(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}
