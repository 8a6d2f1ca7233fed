package sandbox

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// visible is what stays visible, read-only, in hidden places.
type visible struct {
	// Links are the symbolic links on the paths, with their targets.
	Links map[string]string `json:"links,omitempty"`
	// Ends are the files and directories that the paths resolve to; none is below another one.
	Ends []string `json:"ends,omitempty"`

	hidden func(path string) bool
	modes  map[string]fs.FileMode // of what is on the paths
}

// maxLinks is how many symbolic links the kernel follows in one path (path_resolution(7)).
const maxLinks = 40

// look finds what stays visible: each path and, if it is a directory, the files that links in it lead to. What does not
// exist is left out.
func look(paths []string, hidden func(path string) bool) *visible {
	v := &visible{Links: map[string]string{}, hidden: hidden, modes: map[string]fs.FileMode{}}
	for _, path := range paths {
		end := v.follow(filepath.Clean(path))
		if end == "" {
			continue
		}
		entries, err := os.ReadDir(end)
		if err != nil {
			continue // a file, or a directory that may not be read
		}
		for _, e := range entries {
			link := filepath.Join(end, e.Name())
			if e.Type()&os.ModeSymlink == 0 {
				continue
			}
			// A link without a slash stays in the directory. Links to directories are ignored.
			if target, err := os.Readlink(link); err == nil && strings.Contains(target, "/") {
				if st, err := os.Stat(link); err == nil && st.Mode().IsRegular() {
					v.follow(link)
				}
			}
		}
	}
	return v
}

// follow resolves a path and records its links and its end as far as they are in hidden places. It returns the path
// without links, "" if there is nothing.
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

// mode returns the mode of a file, which is looked up once.
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

// covers reports whether a path is in a directory that is visible already.
func (v *visible) covers(path string) bool {
	return slices.ContainsFunc(v.Ends, func(end string) bool { return within(path, end) })
}
