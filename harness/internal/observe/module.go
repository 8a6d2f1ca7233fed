package observe

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// loaded reports whether a module of the kernel is loaded or built in, as far as that is known: a question to one that
// is not would load it.
func loaded(name string) bool {
	there, _ := module(name)
	return there
}

// module reports whether a module of the kernel is loaded or built in. Without a list of what is built in, as in a
// container, it may be there although nothing shows it, and is not known; but a kernel without modules loads none.
func module(name string) (there, known bool) {
	if _, err := os.Stat("/sys/module/" + name); err == nil {
		return true, true
	}
	if _, err := os.Stat("/proc/modules"); errors.Is(err, fs.ErrNotExist) {
		return true, true
	}
	if builtIn() == nil {
		return true, false
	}
	return bytes.Contains(builtIn(), []byte("/"+name+".ko")), true
}

// builtIn is the list of the modules that are built in, nil if there is none.
var builtIn = sync.OnceValue(func() []byte {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil
	}
	list, _ := os.ReadFile("/lib/modules/" + unix.ByteSliceToString(u.Release[:]) + "/modules.builtin")
	return list
})
