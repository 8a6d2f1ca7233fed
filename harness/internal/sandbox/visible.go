package sandbox

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// visible is what stays to be seen, read-only, in places that are hidden.
type visible struct {
	// Links are symbolic links on the way, by their paths.
	Links map[string]string `json:"links,omitempty"`
	// Ends are the files and folders to which the ways lead; none lies in another one.
	Ends []string `json:"ends,omitempty"`

	hidden func(path string) bool
	modes  map[string]fs.FileMode // of what is on the ways
}

// maxLinks is how many links may lead to one file (path_resolution(7)).
const maxLinks = 40

// look finds what stays visible: each path and, in a folder, the files that links in it lead to. What is not there is
// left out.
func look(paths []string, hidden func(path string) bool) *visible {
	v := &visible{Links: map[string]string{}, hidden: hidden, modes: map[string]fs.FileMode{}}
	for _, path := range paths {
		end := v.follow(filepath.Clean(path))
		if end == "" {
			continue
		}
		entries, err := os.ReadDir(end)
		if err != nil {
			continue // a file, or closed
		}
		for _, e := range entries {
			link := filepath.Join(end, e.Name())
			if e.Type()&os.ModeSymlink == 0 {
				continue
			}
			// Those without a slash stay in the folder; a folder behind a link is not looked for.
			if target, err := os.Readlink(link); err == nil && strings.Contains(target, "/") {
				if st, err := os.Stat(link); err == nil && st.Mode().IsRegular() {
					v.follow(link)
				}
			}
		}
	}
	return v
}

// follow goes a path to its end, and writes down what of the way, and of the end, lies in hidden places. It returns
// the path without links, "" where there is nothing.
func (v *visible) follow(path string) string {
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
		mode, there := v.mode(next)
		if !there {
			return ""
		}
		if mode&os.ModeSymlink == 0 {
			at = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return ""
		}
		if v.hidden(next) && !v.covers(next) {
			v.Links[next] = target
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(strings.Trim(target, "/"), "/"), rest...)
	}
	if v.hidden(at) && !v.covers(at) {
		v.Ends = slices.DeleteFunc(v.Ends, func(end string) bool { return within(end, at) })
		v.Ends = append(v.Ends, at)
	}
	return at
}

// mode is that of a file, which is looked up once.
func (v *visible) mode(path string) (mode fs.FileMode, there bool) {
	if mode, known := v.modes[path]; known {
		return mode, true
	}
	st, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	v.modes[path] = st.Mode()
	return st.Mode(), true
}

// covers tells whether a path lies in a folder that is visible anyway.
func (v *visible) covers(path string) bool {
	return slices.ContainsFunc(v.Ends, func(end string) bool { return within(path, end) })
}
