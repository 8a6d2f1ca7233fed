package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
)

// Presence tells whether a feature is present; the zero value is Unknown.
type Presence int

const (
	Unknown Presence = iota // it could not be determined
	Present
	Absent
)

func (p Presence) String() string {
	switch p {
	case Present:
		return "present"
	case Absent:
		return "absent"
	}
	return "could not tell"
}

// Finding is the result of looking for a feature.
type Finding struct {
	Presence
	// Reason is why the feature is absent, as text for a skip, or why that is unknown; "" if it is present.
	Reason string
}

var present = Finding{Presence: Present}

func absent(format string, args ...any) Finding { return Finding{Absent, fmt.Sprintf(format, args...)} }

func unknown(format string, args ...any) Finding {
	return Finding{Unknown, fmt.Sprintf(format, args...)}
}

// Words are the names of all features except `program:NAME`, sorted.
func Words() []string { return slices.Sorted(maps.Keys(trials)) }

// Means describes what a feature requires.
func Means(word string) string { return trials[word].means }

// Look looks for features and returns one finding for each, in the same order. It tries features of the kernel in a
// scratch lab, which it removes before it returns. Present and Absent are remembered for the life of the process;
// Unknown features are tried again.
func Look(ctx context.Context, names ...string) (findings []Finding, err error) {
	s := scratch{ctx: ctx}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, name := range names {
		findings = append(findings, s.look(name))
	}
	return findings, ctx.Err()
}

// Require looks for the features that a scenario requires. It returns what is missing, as text for a skip: the first
// absent feature of the kernel, or else all absent programs; nil if all are present. An Unknown feature is an error.
func Require(ctx context.Context, names ...string) (*scenario.Unavailable, error) {
	findings, err := Look(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("look for what is required: %w", err)
	}
	for i, f := range findings {
		if f.Presence == Unknown {
			return nil, fmt.Errorf("look for the feature %s: could not tell: %s", names[i], f.Reason)
		}
	}
	var programs []string
	for i, f := range findings {
		if f.Presence != Absent {
			continue
		}
		name, ok := strings.CutPrefix(names[i], "program:")
		if !ok {
			return &scenario.Unavailable{Reason: f.Reason, Features: []string{names[i]}}, nil
		}
		programs = append(programs, name)
	}
	if len(programs) > 0 {
		return program.NotInstalled(programs...), nil
	}
	return nil, nil
}

// known are the remembered findings.
var known struct {
	sync.Mutex
	findings map[string]Finding
}

// look returns a remembered finding or tries. It holds the lock while it tries, so that nothing is tried twice at once.
func (s *scratch) look(name string) Finding {
	known.Lock()
	defer known.Unlock()
	if f, ok := known.findings[name]; ok {
		return f
	}
	f := s.find(name)
	if f.Presence != Unknown {
		if known.findings == nil {
			known.findings = map[string]Finding{}
		}
		known.findings[name] = f
	}
	return f
}

func (s *scratch) find(name string) Finding {
	if file, ok := strings.CutPrefix(name, "program:"); ok && file != "" {
		if _, err := LookPath(file); err != nil {
			return absent("%v", program.NotInstalled(file))
		}
		return present
	}
	trial, ok := trials[name]
	if !ok {
		return unknown("unknown feature %s", name)
	}
	if err := s.ctx.Err(); err != nil {
		return unknown("%v", err)
	}
	return judge(name, trial.try(s))
}

// judge is the finding that follows from the error of a trial.
func judge(name string, err error) Finding {
	var f findingError
	switch {
	case err == nil:
		return present
	case errors.As(err, &f):
		return Finding(f)
	}
	for _, lacking := range []error{unix.EOPNOTSUPP, unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT, unix.ENOENT, unix.ENODEV,
		unix.ENXIO} {
		if errors.Is(err, lacking) {
			return absent("the kernel lacks %s (%s)", name, describe(err))
		}
	}
	return unknown("%s: %s", name, describe(err))
}

// describe is the error with the name of its errno.
func describe(err error) string {
	var errno syscall.Errno
	switch {
	case !errors.As(err, &errno):
		return err.Error()
	case errno == unix.EOPNOTSUPP: // ErrnoName calls it ENOTSUP
		return fmt.Sprintf("%v, EOPNOTSUPP", err)
	}
	return fmt.Sprintf("%v, %s", err, unix.ErrnoName(errno))
}

// findingError is a finding as the error of a trial.
type findingError Finding

func (f findingError) Error() string { return f.Reason }

// scratch is a lab for trials, made on first use.
type scratch struct {
	ctx   context.Context
	world *netns.World
}

// namespace makes a fresh namespace for a trial.
func (s *scratch) namespace() (netns.Handle, error) {
	if s.world == nil {
		w, err := tryingGround()
		if err != nil {
			return netns.Handle{}, findingError(unknown("%v", err))
		}
		s.world = w
	}
	h, err := s.world.AddNameless()
	if err != nil {
		return h, findingError(unknown("%v", err))
	}
	return h, nil
}

func (s *scratch) close() error {
	if s.world == nil {
		return nil
	}
	return s.world.Close()
}

// uids tries whether programs can change to another user id.
func uids(*scratch) error {
	if facts, ok := sandbox.Current(); ok {
		if facts.IDs > 1 {
			return nil
		}
		return findingError(absent("the sandbox of %s has a single user id", facts.Privilege()))
	}
	if os.Geteuid() != 0 {
		return findingError(absent("user %d cannot take other user ids", os.Geteuid()))
	}
	return nil
}

// nestedUserns tries whether programs of a lab can make a user namespace with a network namespace that its root may
// change.
func nestedUserns(s *scratch) error {
	if _, err := s.namespace(); err != nil {
		return err
	}
	err := sandbox.Nested(s.again)
	var forbidden *sandbox.ForbiddenError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &forbidden) && !forbidden.MayPass():
		return findingError(absent("no user namespace below this one can have its own network: %v: %s", forbidden.Cause,
			forbidden.Why))
	}
	return findingError(unknown("make a user namespace below this one: %v", err))
}

// again runs this program again in the lab, with these environment variables, and returns its output.
func (s *scratch) again(env []string) ([]byte, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	running, err := s.world.Start(netns.Program{Path: "/proc/self/exe", Args: os.Args[:1], Env: env, Output: write})
	write.Close()
	if err != nil {
		return nil, err
	}
	output, err := io.ReadAll(io.LimitReader(read, 1<<16))
	_, ended := running.Wait()
	return output, errors.Join(err, ended)
}

// lacking tries whether a lab has the private mount whose absence is this error.
func lacking(what error) func(*scratch) error {
	return func(s *scratch) error {
		if _, err := s.namespace(); err != nil {
			return err
		}
		lacks, err := s.world.Lacks()
		if err != nil {
			return findingError(unknown("%v", err))
		}
		for _, lack := range lacks {
			if errors.Is(lack, what) {
				return findingError(absent("%v", lack))
			}
		}
		return nil
	}
}

// tryingGround is a lab for trials: inside the sandbox if there is one, else on the machine, without names there.
func tryingGround() (*netns.World, error) {
	if sandbox.Inside() {
		return netns.New(netns.Options{})
	}
	return netns.NewHere(netns.Options{})
}
