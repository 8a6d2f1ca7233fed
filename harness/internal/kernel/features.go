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

// Presence is what is known about a feature. The zero value knows nothing.
type Presence int

const (
	Unknown Presence = iota // could not tell
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

// Finding is what came of looking for a feature.
type Finding struct {
	Presence
	// Reason says why it is absent, as it goes into a skip, or why nobody could tell. "" when it is present.
	Reason string
}

var present = Finding{Presence: Present}

func absent(format string, args ...any) Finding { return Finding{Absent, fmt.Sprintf(format, args...)} }

func unknown(format string, args ...any) Finding {
	return Finding{Unknown, fmt.Sprintf(format, args...)}
}

// Words are the features that can be looked for, sorted, besides `program:NAME`.
func Words() []string { return slices.Sorted(maps.Keys(trials)) }

// Means says what has to be there for a feature.
func Means(word string) string { return trials[word].means }

// Look looks for features and returns what was found about each, in the same order. Features of the kernel are tried in
// a scratch lab that is gone when Look returns. What is present or absent stays so for the life of the process; what
// could not be told is tried again.
func Look(ctx context.Context, names ...string) (findings []Finding, err error) {
	s := scratch{ctx: ctx}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, name := range names {
		findings = append(findings, s.look(name))
	}
	return findings, ctx.Err()
}

// Require looks for the features a scenario needs. It returns what is lacking, as it goes into a skip: the first
// feature of the kernel that is absent, or else all programs that are; nil when all are there. That one could not be
// told is an error.
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
			return &scenario.Unavailable{Reason: f.Reason}, nil
		}
		programs = append(programs, name)
	}
	if len(programs) > 0 {
		return program.NotInstalled(programs...), nil
	}
	return nil, nil
}

// known are the findings that stay.
var known struct {
	sync.Mutex
	findings map[string]Finding
}

// look answers from what is known or tries. The lock is held while it tries, so that the same is not tried twice at
// once.
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

// judge tells from the answer to a trial whether the kernel has the feature.
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
	case errno == unix.EOPNOTSUPP: // which has two names
		return fmt.Sprintf("%v, EOPNOTSUPP", err)
	}
	return fmt.Sprintf("%v, %s", err, unix.ErrnoName(errno))
}

// findingError is a finding that a trial has come to by itself.
type findingError Finding

func (f findingError) Error() string { return f.Reason }

// scratch is a lab for trials, made when the first needs it.
type scratch struct {
	ctx   context.Context
	world *netns.World
}

// namespace is a fresh one for a trial.
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

// uids looks whether programs can take another user id.
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

// nestedUserns looks whether programs of a lab can make a user namespace whose root may change a network namespace of
// its own.
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

// again runs this program again in the lab, with these variables, and returns what it printed.
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

// lacking looks whether a lab has the mounts of its own that the error stands for.
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

// tryingGround is a lab to try features in: with a sandbox in it, without one on the machine, where it has no names.
func tryingGround() (*netns.World, error) {
	if sandbox.Inside() {
		return netns.New(netns.Options{})
	}
	return netns.NewHere(netns.Options{})
}
