package sandbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// fileFlags are the flags of a test binary that name a file to write. The value is true if the file is relative to
// -test.outputdir.
var fileFlags = map[string]bool{
	"test.testlogfile": false, "test.coverprofile": true, "test.cpuprofile": true, "test.memprofile": true,
	"test.blockprofile": true, "test.mutexprofile": true, "test.trace": true,
	"ginkgo.json-report": false, "ginkgo.junit-report": false, "ginkgo.teamcity-report": false,
	"ginkgo.gojson-report": false,
}

// dirFlags are the flags that name a directory to write to.
var dirFlags = map[string]bool{"test.gocoverdir": true, "test.outputdir": true, "test.fuzzcachedir": true}

// results are the files and directories that a test binary writes. Inside, its user may not be allowed to write them in
// their place.
type results struct {
	inMemory []inMemory
	folders  []folder
}

// inMemory is a nameless file (memfd_create(2)), so that nothing of it is left if this process is killed.
type inMemory struct {
	file *os.File
	to   string
}

type folder struct{ temporary, to string }

// redirect changes the arguments of a test binary so that its results go where it can write inside.
func redirect(args []string) (changed []string, r results, err error) {
	defer func() {
		if err != nil {
			r.remove()
		}
	}()
	flags := readFlags(args)
	outputDir := ""
	for _, f := range flags {
		if f.name == "test.outputdir" {
			outputDir = f.value
		}
	}
	changed = append(changed, args...)
	for _, f := range flags {
		underOutput, isFile := fileFlags[f.name]
		var inside string
		switch {
		case f.value == "":
			continue
		case isFile:
			to := f.value
			if underOutput && outputDir != "" && !filepath.IsAbs(to) {
				to = filepath.Join(outputDir, to)
			}
			inside, err = r.addFile(to)
		case dirFlags[f.name]:
			inside, err = r.addFolder(f.value, f.name == "test.fuzzcachedir")
		default:
			continue
		}
		if err != nil {
			return nil, r, fmt.Errorf("redirect -%s: %w", f.name, err)
		}
		changed[f.at] = f.with(inside)
	}
	return changed, r, nil
}

// testFlag is a flag with a value. args[at] is the value, or `-name=value`.
type testFlag struct {
	name, value string
	at          int
	prefix      string // what precedes the value in args[at]
}

func (f testFlag) with(value string) string { return f.prefix + value }

// readFlags returns the flags that name results.
func readFlags(args []string) []testFlag {
	var found []testFlag
	for i := 1; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			break
		}
		if !strings.HasPrefix(arg, "-") {
			continue // the value of another flag
		}
		name, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		_, isFile := fileFlags[name]
		switch {
		case !isFile && !dirFlags[name]:
		case joined:
			found = append(found, testFlag{name: name, value: value, at: i, prefix: arg[:len(arg)-len(value)]})
		case i+1 < len(args):
			i++
			found = append(found, testFlag{name: name, value: args[i], at: i})
		}
	}
	return found
}

// addFile makes a nameless file and returns the path by which the process inside opens it.
func (r *results) addFile(to string) (inside string, err error) {
	fd, err := unix.MemfdCreate(filepath.Base(to), unix.MFD_CLOEXEC)
	if err != nil {
		return "", err
	}
	file := os.NewFile(uintptr(fd), to)
	r.inMemory = append(r.inMemory, inMemory{file, to})
	return fmt.Sprintf("/proc/self/fd/%d", 2+len(r.inMemory)), file.Chmod(0o666)
}

// addFolder makes a directory that the process inside may write to. If the process also reads it, it holds a copy of
// the real one.
func (r *results) addFolder(to string, read bool) (inside string, err error) {
	dir, err := os.MkdirTemp("", "netnscheck-results-")
	if err != nil {
		return "", err
	}
	r.folders = append(r.folders, folder{dir, to})
	if read {
		if err := copyTree(to, dir); err != nil {
			return "", err
		}
	}
	ids, err := chooseIDs()
	if err != nil || !ids.foreign {
		return dir, err
	}
	return dir, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, ids.firstUID, ids.firstGID))
	})
}

// files returns the descriptors of the process inside from 3 on.
func (r *results) files() []*os.File {
	var files []*os.File
	for _, m := range r.inMemory {
		files = append(files, m.file)
	}
	return files
}

// bringOut puts the results in their place, owned as if the test binary had written them outside. Empty files are left
// out.
func (r *results) bringOut() error {
	var errs []error
	for _, m := range r.inMemory {
		if st, err := m.file.Stat(); err != nil || st.Size() == 0 {
			errs = append(errs, err)
			continue
		}
		_, err := m.file.Seek(0, io.SeekStart)
		errs = append(errs, err, writeFile(m.to, m.file))
	}
	for _, f := range r.folders {
		errs = append(errs, copyTree(f.temporary, f.to))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("bring the results out of the sandbox: %w", err)
	}
	return nil
}

func (r *results) remove() {
	for _, m := range r.inMemory {
		m.file.Close()
	}
	for _, f := range r.folders {
		os.RemoveAll(f.temporary)
	}
}

// copyTree copies the directories and regular files below from into to, which need not exist.
func copyTree(from, to string) error {
	root, err := os.OpenRoot(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		target := filepath.Join(to, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.MkdirAll(target, 0o777)
		case !entry.Type().IsRegular():
			return nil
		}
		file, err := root.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		return writeFile(target, file)
	})
}

func writeFile(path string, content io.Reader) error {
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, content)
	return errors.Join(err, to.Close())
}
