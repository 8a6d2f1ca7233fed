package strictyaml

import (
	"slices"
	"strings"
	"testing"
)

// read reads a file with the keys names, a list of words, and word.
func read(text string) (names []string, word string, err error) {
	err = Parse("f.yaml", []byte(text), func(r *Reader, n Node) {
		r.Keys(n, "word: x", map[string]func(Node){
			"names": func(n Node) {
				r.List(n, "a list", func(item Node) { names = append(names, r.Word(item, "a name")) })
			},
			"word": func(n Node) { word = r.Word(n, "a word") },
		})
	})
	return names, word, err
}

func TestParse(t *testing.T) {
	names, word, err := read("# a comment\nnames: [5.10, a b, '7']\nword: 010\n")
	if err != nil || !slices.Equal(names, []string{"5.10", "a b", "7"}) || word != "010" {
		t.Errorf("%q, %q, %v", names, word, err)
	}
	for text, want := range map[string]string{
		"a":                         "f.yaml:1: expected keys and values, such as word: x",
		"\nwrod: x":                 `f.yaml:2: there is no key "wrod", did you mean word?; the keys are names, word`,
		"names: x":                  "f.yaml:1: expected a list",
		"names: []":                 "f.yaml:1: expected a list",
		"names:\n- [x]\nword: {}":   "f.yaml:2: expected a name\nf.yaml:3: expected a word",
		"word: 'x":                  "f.yaml:1: ",
		"word: x\nword: y":          "f.yaml:2: ",
		"word: ''":                  "f.yaml:1: expected a word",
		"word: x\n---\nnames: []\n": "f.yaml:3: expected a list",
	} {
		if _, _, err := read(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: it says %v, want %q", text, err, want)
		}
	}
}
