package cmd

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/screen"
)

// calls are calls of the program in a file for CI or a page about it: a subcommand and what follows in its line.
var calls = regexp.MustCompile(`(?m)(?:\bharness"?|\./netnscheck|netnscheck:\S+) ` +
	`((?:run|report merge|compare|vm)\b[^\n#|]*)`)

var flagName = regexp.MustCompile(`(?:^|[\s("])--([a-z][a-z-]*)`)

// TestFilesForCI: the commands in the files for CI servers, and on the page about them, have the flags that they are
// given there.
func TestFilesForCI(t *testing.T) {
	for _, path := range []string{"action.yml", "docs/ci/gitlab.yml", "docs/ci.md"} {
		text, err := os.ReadFile("../../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		flags := 0
		for _, call := range calls.FindAllStringSubmatch(string(text), -1) {
			c, _, err := Root(screen.Plain(nil, nil, false)).Find(strings.Fields(call[1]))
			if err != nil {
				t.Errorf("%s: %s: %v", path, call[1], err)
				continue
			}
			for _, name := range flagName.FindAllStringSubmatch(call[1], -1) {
				flags++
				if c.Flags().Lookup(name[1]) == nil {
					t.Errorf("%s: `harness %s` has no flag --%s", path, c.Name(), name[1])
				}
			}
		}
		if path != "action.yml" && flags == 0 { // it keeps its flags in an array, and is played by TestAction
			t.Errorf("%s: no call with a flag was found", path)
		}
	}
}
