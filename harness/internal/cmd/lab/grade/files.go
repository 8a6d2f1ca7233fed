package grade

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	class "netnscheck/harness/grade"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/term"
)

// find finds the files that were handed in. A file that was named is taken whatever it is called.
func find(names []string) (files []class.File, skipped []string, err error) {
	var errs []error
	seen := map[string]bool{}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s: %w", name, cause(err)))
			continue
		}
		if !info.IsDir() {
			if path := filepath.Clean(name); !seen[path] {
				seen[path] = true
				files = append(files, class.File{Path: path, Name: filepath.Base(path)})
			}
			continue
		}
		errs = append(errs, filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			base := filepath.Base(path)
			switch {
			case err != nil:
				return fmt.Errorf("read %s: %w", term.OneLine(path), cause(err))
			case path != name && strings.HasPrefix(base, ".") && entry.IsDir():
				return filepath.SkipDir
			case entry.IsDir() || strings.HasPrefix(base, ".") || seen[path]:
			case filepath.Ext(base) == ".json" || filepath.Ext(base) == ".sh":
				seen[path] = true
				below, err := filepath.Rel(name, path)
				if err != nil {
					return err
				}
				files = append(files, class.File{Path: path, Name: filepath.ToSlash(below)})
			default:
				skipped = append(skipped, path)
			}
			return nil
		}))
	}
	return files, skipped, status.With(status.Usage, errors.Join(errs...))
}

// readFile reads a regular file of at most so many bytes. It follows no link, which a learner could have handed in to
// have somebody else's file read, and waits for no pipe.
func readFile(path string, limit int) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, errors.New("it is a link")
	}
	if err != nil {
		return nil, cause(err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	}
	text, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case len(text) > limit:
		return nil, fmt.Errorf("it has more than %d KiB", limit>>10)
	}
	return text, nil
}

func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// output is a report, its flag and its file.
type output struct {
	flag, file string
	format     func(*class.Class) (string, error)
}

func (o *options) outputs() []output {
	return []output{
		{"csv", o.csv, func(c *class.Class) (string, error) { return c.CSV(), nil }},
		{"json", o.json, (*class.Class).JSON},
		{"junit", o.junit, (*class.Class).JUnit},
		{"html", o.html, (*class.Class).HTML},
	}
}

// checkOutputs refuses reports that could not be written in the end.
func (o *options) checkOutputs() error {
	first := map[string]string{}
	for _, out := range o.outputs() {
		if out.file == "" {
			continue
		}
		place := out.file
		if place != "-" {
			place = filepath.Clean(place)
		}
		if other := first[place]; other != "" {
			return status.Usagef("--%s and --%s name the same file: %s", other, out.flag, out.file)
		}
		first[place] = out.flag
		if place == "-" {
			continue
		}
		const writable = 0x2 | 0x1 // W_OK|X_OK of access(2)
		dir := filepath.Dir(place)
		err := syscall.Access(dir, writable)
		if info, there := os.Stat(place); err == nil && there == nil && !info.Mode().IsRegular() {
			err = errors.New("it is not a regular file")
		}
		if err != nil {
			return status.Usagef("--%s: write %s: %w", out.flag, out.file, err)
		}
	}
	return nil
}
