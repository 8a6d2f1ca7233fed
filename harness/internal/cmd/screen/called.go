package screen

import (
	"cmp"
	"path/filepath"
	"strings"
)

// Called is what a user types to start this program, by the first of its arguments (os.Args[0]): the path that he
// typed, or `go run ./harness` if the go command has built it into a folder of its own.
func Called(arg0 string) string {
	folder := filepath.Dir(arg0)
	if filepath.Base(folder) == "exe" && strings.Contains(folder, "/go-build") {
		return "go run ./harness"
	}
	return arg0
}

// Type is a command line of this program, to be copied.
func (s *Screen) Type(command string) string { return cmp.Or(s.Program, "harness") + " " + command }
