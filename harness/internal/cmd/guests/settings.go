// Package guests plays a plan in virtual machines: it finds their kernels, makes their images, starts them, and takes
// what they tell into the model of a report. The commands vm and bisect import it; it prints nothing.
package guests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/vm/image"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/machine"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/internal/vm/modules"
	"netnscheck/harness/internal/vm/programs"
	"netnscheck/harness/internal/vm/store"
	"netnscheck/harness/nearest"
)

// Settings are what the flags of a command say about its guests.
type Settings struct {
	Modules string // the folder with the modules of a kernel that is named by its file
	Load    []string
	Append  string
	Memory  int // MiB
	CPUs    int
	User    bool
	Limit   time.Duration
	Offline bool
	Keep    bool // leave in a guest's folder what boots it again
}

// least is the memory with which a kernel and the programs come up, in MiB.
const least = 256

// Flags adds the flags to a command.
func (s *Settings) Flags(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&s.Modules, "modules", "", "the `FOLDER` with the modules of a kernel that\nis named by its file")
	flags.StringSliceVar(&s.Load, "load", nil, "load these `MODULES` too, such as ipip,sit")
	flags.StringVar(&s.Append, "append", "", "add these `WORDS` to the kernel's command line")
	flags.IntVar(&s.Memory, "memory", 0, "the memory of a guest, in `MEBIBYTES`")
	flags.IntVar(&s.CPUs, "cpus", 0,
		"the `NUMBER` of processors of a guest; its clock\nis then the machine's\n(default: one; in emulation virtual time)")
	flags.BoolVar(&s.User, "user", false, "play as an ordinary user of the guest")
	flags.DurationVar(&s.Limit, "limit", 0, "stop a guest after this `TIME` of its own clock,\nsuch as 10m")
	flags.BoolVar(&s.Offline, "offline", false, "use only what was fetched before")
}

// Check refuses settings that no guest can have.
func (s *Settings) Check() error {
	switch {
	case s.Memory != 0 && s.Memory < least:
		return status.Usagef("--memory %d: want at least %d MiB", s.Memory, least)
	case s.CPUs < 0 || s.CPUs > 64:
		return status.Usagef("--cpus %d: want a number from 1 to 64", s.CPUs)
	case s.Limit < 0:
		return status.Usagef("--limit %v: want a positive time", s.Limit)
	case strings.ContainsAny(s.Append, "\x00\n"):
		return status.Usagef("--append %q: want one line", s.Append)
	}
	for _, name := range s.Load {
		if name == "" || strings.ContainsAny(name, "/ \t\n") {
			return status.Usagef("--load %q: want names of modules, such as ipip,sit", name)
		}
	}
	if s.Modules == "" {
		return nil
	}
	if info, err := os.Stat(s.Modules); err != nil {
		return status.Usagef("--modules: %w", err)
	} else if !info.IsDir() {
		return status.Usagef("--modules %s: it is not a folder", s.Modules)
	}
	return nil
}

// Virtual reports whether guests have virtual time: in emulation, with one processor.
func (s *Settings) Virtual() bool { return s.CPUs == 0 && !machine.Accelerated() }

// Clock tells the clock of the guests.
func (s *Settings) Clock() string {
	switch {
	case s.Virtual():
		return "virtual time"
	case machine.Accelerated():
		return "real time, KVM"
	}
	return "real time, emulated"
}

// Rig is where guests are made: the settings, and what was fetched for them.
type Rig struct {
	Settings
	Store    *store.Store
	kernels  *kernels.Finder
	programs *programs.Finder
}

// Open opens the rig. tell is told of what the user should know, such as an entry of the cache that was broken.
func Open(s Settings, tell func(string)) (*Rig, error) {
	dir, err := store.Default()
	if err != nil {
		return nil, status.With(status.Cannot, err)
	}
	cache, err := store.Open(dir)
	if err != nil {
		return nil, status.With(status.Cannot, err)
	}
	told := map[string]bool{} // what several guests meet is told once
	var telling sync.Mutex
	cache.Tell = func(message string) {
		telling.Lock()
		defer telling.Unlock()
		if !told[message] {
			told[message] = true
			tell(message)
		}
	}
	return &Rig{s, cache, &kernels.Finder{Store: cache, Offline: s.Offline, Modules: s.Modules},
		&programs.Finder{Store: cache, Offline: s.Offline}}, nil
}

// Close gives back what the rig holds.
func (r *Rig) Close() { r.Store.Close() }

// Ready finds what the guests of the rows are made of, before anything runs. Its errors have their exit status.
func (r *Rig) Ready(ctx context.Context, rows []matrix.Row) error {
	if err := machine.Ready(); err != nil {
		return status.With(status.Cannot, err)
	}
	if err := r.checkFolder(rows); err != nil {
		return err
	}
	var errs []error
	tried := map[string]bool{} // a kernel, or a version of iproute2, of several rows is found once
	for _, row := range rows {
		if !tried["kernel "+row.Kernel] {
			k, err := r.Find(ctx, row.Kernel)
			if err == nil {
				err = r.checkModules(k)
			}
			errs = append(errs, err)
		}
		if !tried["iproute2 "+row.IPRoute2] {
			_, err := r.Programs(ctx, row)
			errs = append(errs, err)
		}
		tried["kernel "+row.Kernel], tried["iproute2 "+row.IPRoute2] = true, true
		if ctx.Err() != nil {
			return status.With(status.Cut, fmt.Errorf("find the kernels: %w", context.Cause(ctx)))
		}
	}
	return errors.Join(distinct(errs)...)
}

// distinct are errors without those that say the same as one before, such as that there is no network.
func distinct(errs []error) (some []error) {
	for _, err := range errs {
		if err != nil && !slices.ContainsFunc(some, func(e error) bool { return e.Error() == err.Error() }) {
			some = append(some, err)
		}
	}
	return some
}

// checkFolder refuses a folder of modules that no kernel would have.
func (r *Rig) checkFolder(rows []matrix.Row) error {
	taken := slices.ContainsFunc(rows, func(row matrix.Row) bool { return kernels.TakesModules(row.Kernel) })
	if r.Modules == "" || taken {
		return nil
	}
	return status.Usagef("--modules belongs to a kernel named by its file, such as ./bzImage; packages and trees have " +
		"their own")
}

// checkModules refuses modules of another kernel, and a module of --load that a kernel does not have.
func (r *Rig) checkModules(k kernels.Kernel) error {
	if len(r.Load) == 0 && k.Package != "" {
		return nil
	}
	whose := status.Usage
	if k.Package != "" { // it was fetched, and is this machine's
		whose = status.Cannot
	}
	tree, err := k.Tree()
	if err != nil {
		return status.With(whose, err)
	}
	for _, name := range r.Load {
		if tree == nil || !tree.Has(name) {
			return status.Usagef("--load %s: the kernel %s has no such module%s", name, cmp.Or(k.Release, k.Name),
				nearest.DidYouMean(name, slices.Concat(modules.Boot, modules.Demand)))
		}
	}
	if tree == nil {
		return nil
	}
	if _, _, err := tree.Load(k.Release, slices.Concat(modules.Boot, r.Load)...); err != nil {
		return status.With(whose, fmt.Errorf("read %s: %w", k.Modules, err))
	}
	return nil
}

// ReadyBut finds what a guest of the row is made of, except its kernel.
func (r *Rig) ReadyBut(ctx context.Context, row matrix.Row) error {
	if err := machine.Ready(); err != nil {
		return status.With(status.Cannot, err)
	}
	if err := image.Ready(); err != nil {
		return status.With(status.Cannot, err)
	}
	if err := r.checkFolder([]matrix.Row{row}); err != nil {
		return err
	}
	_, err := r.Programs(ctx, row)
	return err
}

// Available are the kernels of Debian that can be had, from the oldest to the newest.
func (r *Rig) Available(ctx context.Context) ([]kernels.Packaged, error) {
	all, err := r.kernels.Available(ctx)
	return all, status.With(status.Cannot, err)
}

// Find finds a kernel by its name. The errors have their exit status: what the user named, or what this machine lacks.
func (r *Rig) Find(ctx context.Context, name string) (kernels.Kernel, error) {
	k, err := r.kernels.Find(ctx, name)
	return k, status.With(statusOf(err), err)
}

// Programs gathers the programs of a row's guest. The errors have their exit status.
func (r *Rig) Programs(ctx context.Context, row matrix.Row) (programs.Userland, error) {
	u, err := r.programs.Find(ctx, programs.Wanted{IPRoute2: row.IPRoute2})
	return u, status.With(statusOf(err), err)
}

// statusOf is the exit status of an error: only a wrong name is the user's.
func statusOf(err error) int {
	var kernel *kernels.NameError
	var iproute2 *programs.NameError
	if errors.As(err, &kernel) || errors.As(err, &iproute2) {
		return status.Usage
	}
	return status.Cannot
}
