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

// fileFlags are those flags of a test binary that name a file which it writes. True: it lies in -test.outputdir.
var fileFlags = map[string]bool{
	"test.testlogfile": false, "test.coverprofile": true, "test.cpuprofile": true, "test.memprofile": true,
	"test.blockprofile": true, "test.mutexprofile": true, "test.trace": true,
	"ginkgo.json-report": false, "ginkgo.junit-report": false, "ginkgo.teamcity-report": false,
	"ginkgo.gojson-report": false,
}

// dirFlags name a folder into which it writes.
var dirFlags = map[string]bool{"test.gocoverdir": true, "test.outputdir": true, "test.fuzzcachedir": true}

// results are the files and folders that a test binary is to write. Inside, it may be a user who cannot write where
// they belong.
type results struct {
	inMemory []inMemory
	folders  []folder
}

// inMemory is a file without a name, so that nothing of it is left when this process is killed.
type inMemory struct {
	file *os.File
	to   string
}

type folder struct{ temporary, to string }

// redirect changes the arguments of a test binary so that its results go where they can be written inside.
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

// testFlag is a flag with a value: in args[at], alone or as `-name=value`.
type testFlag struct {
	name, value string
	at          int
	prefix      string // what stands before the value in args[at]
}

func (f testFlag) with(value string) string { return f.prefix + value }

// readFlags finds the flags that name results.
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

// addFolder makes a folder that is the one inside's to write, with a copy of what is in the real one if that is read,
// too.
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

// files are the descriptors from 3 on of the process inside.
func (r *results) files() []*os.File {
	var files []*os.File
	for _, m := range r.inMemory {
		files = append(files, m.file)
	}
	return files
}

// bringOut puts the results where they belong, owned as if the test binary had written them outside. A file into which
// nothing was written is not made.
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

// copyTree copies the folders and plain files below from into to, where nothing need be.
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
