package grade

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"netnscheck/harness/nearest"
	"netnscheck/harness/term"
)

// File is a file that was handed in.
type File struct {
	// Path is what to open, Name its path below the folder that was named, with slashes; of a file that was named
	// itself it is the last element.
	Path, Name string
}

// Learner is the name of the learner whose file it is, as far as the file tells: the name without its extension, or
// that of its folder if it is called as every learner's file is.
func (f File) Learner() string {
	base := path.Base(f.Name)
	bare := strings.TrimSuffix(base, path.Ext(base))
	dir := path.Dir(f.Name)
	switch {
	case dir == ".":
		return bare
	case bare == "progress" || bare == "solution" || bare == "script":
		return dir
	}
	return dir + "/" + bare
}

// Handed is a learner and his file.
type Handed struct {
	Entry
	// Of is the file; nil if nothing was handed in.
	Of *File
}

// Whose finds whose each file is. Without a roster (nil) each file is that of a learner. A file of nobody and two files
// of one learner are errors.
func Whose(files []File, roster []Entry) ([]Handed, error) {
	if roster == nil {
		return withoutRoster(files)
	}
	all := make([]Handed, len(roster))
	for i, e := range roster {
		all[i].Entry = e
	}
	var errs []error
	for i := range files {
		f := &files[i]
		switch at, ok := find(*f, roster); {
		case !ok:
			var names []string
			for _, e := range roster {
				names = append(names, e.Name)
			}
			errs = append(errs, fmt.Errorf("%s: nobody of the roster is called %s%s", term.OneLine(f.Path),
				term.OneLine(f.Learner()), term.OneLine(nearest.DidYouMean(f.Learner(), names))))
		case all[at].Of != nil:
			errs = append(errs, fmt.Errorf("%s: %s has handed in %s already", term.OneLine(f.Path),
				term.OneLine(roster[at].Name), term.OneLine(all[at].Of.Path)))
		default:
			all[at].Of = f
		}
	}
	return all, errors.Join(errs...)
}

func withoutRoster(files []File) (all []Handed, err error) {
	first := map[string]*File{}
	var errs []error
	for i := range files {
		f := &files[i]
		name := f.Learner()
		if other := first[key(name)]; other != nil {
			errs = append(errs, fmt.Errorf("%s: %s has handed in %s already", term.OneLine(f.Path), term.OneLine(name),
				term.OneLine(other.Path)))
			continue
		}
		first[key(name)] = f
		all = append(all, Handed{Entry: Entry{Name: name}, Of: f})
	}
	return all, errors.Join(errs...)
}

// find is the index of the learner whose file it is: the roster names it, or it is called as he is.
func find(f File, roster []Entry) (int, bool) {
	base := path.Base(f.Name)
	for i, e := range roster {
		if e.File != "" && (e.File == f.Name || e.File == base || e.File == strings.TrimSuffix(base, path.Ext(base))) {
			return i, true
		}
	}
	for i, e := range roster {
		if e.File == "" && key(e.Name) == key(f.Learner()) {
			return i, true
		}
	}
	return 0, false
}
