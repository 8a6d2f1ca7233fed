package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// visible is what stays to be seen in places that are hidden.
type visible struct {
	// links are symbolic links on the way, by their paths.
	links map[string]string
	// open are the files and folders at the end, held open: they may lie where root of the sandbox has no way.
	open map[string]int
}

// maxLinks is how many links may lead to one file (path_resolution(7)).
const maxLinks = 40

// look opens what stays visible, as the process that it is. It asks for each path and, in a folder, for what links in it lead to.
// What is not there is left out.
func look(paths []string, hidden func(path string) bool) *visible {
	v := &visible{links: map[string]string{}, open: map[string]int{}}
	for _, path := range paths {
		end := v.follow(filepath.Clean(path), hidden)
		if end == "" {
			continue
		}
		entries, err := os.ReadDir(end)
		if err != nil {
			continue // a file, or closed
		}
		for _, e := range entries {
			if e.Type()&os.ModeSymlink != 0 {
				v.follow(filepath.Join(end, e.Name()), hidden)
			}
		}
	}
	return v
}

// follow goes a path to its end, writes down the links on the way that lie in hidden places, and opens the end if it does. It returns the
// path without links, "" where there is nothing.
func (v *visible) follow(path string, hidden func(path string) bool) string {
	rest := strings.Split(strings.Trim(path, "/"), "/")
	at := "/"
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		st, err := os.Lstat(next)
		if err != nil {
			return ""
		}
		if st.Mode()&os.ModeSymlink == 0 {
			at = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return ""
		}
		if hidden(next) && !v.covers(next) {
			v.links[next] = target
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(strings.Trim(target, "/"), "/"), rest...)
	}
	if hidden(at) && !v.covers(at) {
		if fd, err := unix.Open(at, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0); err == nil {
			v.open[at] = fd
		}
	}
	return at
}

// covers tells whether a path lies in a folder that is visible anyway.
func (v *visible) covers(path string) bool {
	for dir := range v.open {
		if within(path, dir) {
			return true
		}
	}
	return false
}

// paths are those of what is open, folders before what lies in them.
func (v *visible) paths() []string {
	var all []string
	for path := range v.open {
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}
