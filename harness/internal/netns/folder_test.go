package netns

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inTime fails the test if f does not return within a time that only blocking on a FIFO can exceed.
func inTime[T any](t *testing.T, f func() (T, error)) (result T, err error) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		result, err = f()
	}()
	select {
	case <-done:
		return result, err
	case <-time.After(2 * patience):
		t.Fatal("it waits for what nobody will write")
		return result, err
	}
}

// notRegular makes, by what the error says, a file of each type but a regular file, and one that is too large.
var notRegular = map[string]func(path string) error{
	"a FIFO":      func(path string) error { return unix.Mkfifo(path, 0o600) },
	"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
	// only the host's root may make one
	"a device": func(path string) error { return mountOn(path, "/dev/zero") },
	"a socket": func(path string) error {
		s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(s)
		return unix.Bind(s, &unix.SockaddrUnix{Name: path})
	},
	"a symbolic link": func(path string) error { return os.Symlink("/run/elsewhere", path) },
	"bytes":           func(path string) error { return os.WriteFile(path, make([]byte, maxFile+1), 0o600) },
}

// TestOnlyRegularFilesAreRead puts every other type in the place of each file in recordsDir: it is refused at once,
// with its name and type, and is not changed.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	elsewhere := `{"id":"dddddd","owner":{"pid":1073741824},"names":{}}`
	if err := os.WriteFile("/run/elsewhere", []byte(elsewhere), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove("/run/elsewhere")
	for _, file := range []string{"dddddd.json", "made", "dddddd.json.new", "made.new"} {
		for what, make := range notRegular {
			if what == "bytes" && strings.HasSuffix(file, ".new") {
				continue // a killed writer may have left this one; it is not read
			}
			t.Run(file+" is "+what, func(t *testing.T) {
				path := filepath.Join(recordsDir, file)
				if err := os.Mkdir(recordsDir, 0o700); err != nil {
					t.Fatal(err)
				}
				defer func() {
					unix.Unmount(path, unix.UMOUNT_NOFOLLOW)
					os.RemoveAll(recordsDir)
				}()
				if err := make(path); err != nil {
					t.Fatal(err)
				}
				was, err := os.Lstat(path)
				if err != nil {
					t.Fatal(err)
				}
				refused := func(doing string, err error) {
					t.Helper()
					if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), what) {
						t.Errorf("%s: %v, want that %s is %s", doing, err, path, what)
					}
				}
				_, err = inTime(t, Leftovers)
				refused("looking for leftovers", err)
				if file != "dddddd.json.new" { // a lab still writes its other files
					w, err := inTime(t, func() (*World, error) { return New(Options{Shared: true}) })
					if err == nil {
						err = w.Close() // only Close looks at another lab's record
					}
					if !strings.HasPrefix(file, "dddddd") {
						refused("making a lab", err)
					}
				}
				if is, err := os.Lstat(path); err != nil || !os.SameFile(was, is) {
					t.Errorf("it is not what it was: %v", err)
				}
				if text, err := os.ReadFile("/run/elsewhere"); err != nil || string(text) != elsewhere {
					t.Errorf("where the link leads: %q, %v", text, err)
				}
			})
			unix.Unmount(namesDir, 0)
			os.Remove(namesDir)
		}
	}
	gone(t, namesDir, recordsDir)
}

// TestRecordsSayWhatLabsWrite: a record that no lab can have written is refused, and nothing that it names is touched.
func TestRecordsSayWhatLabsWrite(t *testing.T) {
	machinesNamesDir(t)
	theirs := filepath.Join(namesDir, "theirs")
	if err := os.WriteFile(theirs, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(recordsDir, 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(recordsDir)
	const owner = `"owner":{"pid":1073741824}`
	for text, want := range map[string]string{
		`{"id":"eeeeee",` + owner + `,"names":{"theirs":0}}`:            `"theirs"`,
		`{"id":"eeeeee",` + owner + `,"names":{"../netns/x-eeeeee":0}}`: `"../netns/x-eeeeee"`,
		`{"id":"eeeeee",` + owner + `,"names":{"\u001b[31m-eeeeef":0}}`: `"\x1b[31m-eeeeef"`,
		`{"id":"eeeeee",` + owner + `,"names":{"eeeeee":0}}`:            `"eeeeee"`,
		`{"id":"eeeeee","owner":{"pid":-1},"names":{}}`:                 "process -1",
		`{"id":"../../",` + owner + `,"names":{}}`:                      `"../../"`,
		`{"id":"ffffff",` + owner + `,"names":{}}`:                      `"ffffff"`,
		`{"id":"eeeeee"`: "JSON",
		``:               "JSON",
		`{"id":"eeeeee",` + owner + `,"names":{"testns-eeeeee":"theirs"}}`: "names",
	} {
		path := filepath.Join(recordsDir, "eeeeee.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := Leftovers()
		if len(found) > 0 || err == nil || !strings.Contains(err.Error(), path) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, error %v; want %s in it", text, found, err, want)
		}
	}
	if _, err := os.Lstat(theirs); err != nil {
		t.Error(err)
	}
}

// foreignMount mounts somebody else's namespace on a file outside /run/netns, and returns a function that reports
// whether it still is mounted.
func foreignMount(t *testing.T) (path string, stays func()) {
	t.Helper()
	dir, err := os.MkdirTemp("/run", "foreign-")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "theirs")
	if err := mountOn(path, "/proc/self/ns/net"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Unmount(path, 0)
		os.RemoveAll(dir)
	})
	var was unix.Stat_t
	if err := unix.Stat(path, &was); err != nil {
		t.Fatal(err)
	}
	return path, func() {
		t.Helper()
		var is unix.Stat_t
		if err := unix.Stat(path, &is); err != nil || is.Ino != was.Ino {
			t.Errorf("what a link leads to was unmounted or removed: inode %d, was %d, %v", is.Ino, was.Ino, err)
		}
	}
}

// TestNoLinkIsFollowedFromAName: the name of a namespace is a symbolic link, or there is one in its path. The target
// stays mounted.
func TestNoLinkIsFollowedFromAName(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		t.Run("a lab deletes it", func(t *testing.T) {
			path, stays := foreignMount(t)
			link := filepath.Join(namesDir, w.Real("testns"))
			inside := "/run/foreign"
			if err := w.InMounts(func() error {
				if w.shared {
					return os.Symlink(path, link)
				}
				return errors.Join(mountOn(inside, "/proc/1/ns/net"), os.Symlink(inside, link)) // in its own /run
			}); err != nil {
				t.Fatal(err)
			}
			if err := w.Delete("testns"); err != nil {
				t.Error(err)
			}
			wantNames(t, w)
			stays()
			if w.shared {
				return
			}
			if err := w.InMounts(func() error { return unix.Unmount(inside, 0) }); err != nil {
				t.Errorf("what the link led to is not mounted any more: %v", err)
			}
		})
	})
	t.Run("a lab is closed", func(t *testing.T) {
		path, stays := foreignMount(t)
		w := makeWorld(t, Options{Shared: true})
		if err := os.Symlink(path, filepath.Join(namesDir, w.Real("testns"))); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		stays()
		gone(t, namesDir, recordsDir)
	})
	t.Run("clean", func(t *testing.T) {
		path, stays := foreignMount(t)
		owner, id := startOwner(t, "owner")
		kill(t, owner)
		name := filepath.Join(namesDir, "testns-"+id)
		if err := errors.Join(unmountName(name), os.Symlink(path, name)); err != nil {
			t.Fatal(err)
		}
		if err := leftover(t).Remove(); err == nil || !strings.Contains(err.Error(), name+": it is a symbolic link") {
			t.Errorf("the error does not tell of the link %s: %v", name, err)
		}
		stays()
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
		if err := leftover(t).Remove(); err != nil {
			t.Error(err)
		}
		none(t)
		gone(t, namesDir, recordsDir)
	})
	t.Run("the folder of the names is a link", func(t *testing.T) {
		path, stays := foreignMount(t)
		r, err := newRecord("gggggg", 0)
		if err != nil {
			t.Fatal(err)
		}
		r.Owner.StartTime--
		if err := r.change(func(names map[string]uint64) { names["theirs-gggggg"] = 0 }); err != nil {
			t.Fatal(err)
		}
		err = errors.Join(unix.Unmount(namesDir, 0), os.Remove(namesDir), os.Symlink(filepath.Dir(path), namesDir))
		if err != nil {
			t.Fatal(err)
		}
		want := namesDir + ": it is a symbolic link"
		if err := leftover(t).Remove(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("removing what is left: %v, want %s", err, want)
		}
		if w, err := New(Options{Shared: true}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("making a lab: %v, want %s", err, want)
			w.Close()
		}
		stays()
		if err := os.Remove(namesDir); err != nil {
			t.Fatal(err)
		}
		if err := leftover(t).Remove(); err != nil {
			t.Error(err)
		}
		none(t)
		gone(t, namesDir, recordsDir)
	})
}

// TestForeignMountOverTheNamesStays: somebody has mounted something over the /run/netns that a lab has made.
func TestForeignMountOverTheNamesStays(t *testing.T) {
	r, err := newRecord("hhhhhh", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("theirs", namesDir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	if err := r.drop(); err != nil {
		t.Error(err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(namesDir, &fs); err != nil || fs.Type != unix.TMPFS_MAGIC || mountedOnce() {
		t.Errorf("the foreign mount is gone: %v", err)
	}
	if err := errors.Join(unix.Unmount(namesDir, 0), unix.Unmount(namesDir, 0), os.Remove(namesDir)); err != nil {
		t.Error(err)
	}
	gone(t, namesDir, recordsDir)
}

// TestNamesMountedTwice: everything mounted on a name is removed with it.
func TestNamesMountedTwice(t *testing.T) {
	w := makeWorld(t, Options{Shared: true})
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(namesDir, w.Real("testns"))
	if err := unix.Mount("/proc/self/ns/net", name, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	gone(t, namesDir, recordsDir)
}

// TestOpenByComponents: the replacement of openat2(2) before Linux 5.6 opens and refuses the same paths.
func TestOpenByComponents(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real", "below")
	file := filepath.Join(dir, "file")
	if err := errors.Join(os.MkdirAll(real, 0o755), os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "link")),
		os.Symlink(real, filepath.Join(dir, "last")), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if fd, err := openByComponents(real); err != nil {
		t.Error(err)
	} else {
		unix.Close(fd)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "link", "below"): "link: it is a symbolic link",
		filepath.Join(dir, "last"):          "last: it is a symbolic link",
		filepath.Join(file, "below"):        "file: it is a regular file",
	} {
		for way, open := range map[string]func(string) error{
			"by components": func(path string) error { _, err := openByComponents(path); return err },
			"at once":       func(path string) error { _, err := openFolder(path); return err },
		} {
			if err := open(path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %s: %v, want %s", path, way, err, want)
			}
		}
	}
	if _, err := openByComponents(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where there is nothing: %v", err)
	}
}

// TestFolderEntries: the names with a suffix are listed, sorted, on every call.
func TestFolderEntries(t *testing.T) {
	dir, err := openFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.close()
	for _, name := range []string{"b.json", "a.json", "c"} {
		if err := dir.write(name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if got, err := dir.entries(".json"); err != nil || !slices.Equal(got, []string{"a.json", "b.json"}) {
			t.Errorf("%q, %v", got, err)
		}
	}
	if text, err := dir.read("c"); err != nil || string(text) != "c" {
		t.Errorf("read what was written: %q, %v", text, err)
	}
}
