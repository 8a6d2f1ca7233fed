package lab

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"netnscheck/harness/effects"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/state"
)

// beside is what a lab has beside its state: of each namespace, the files that are known by its name, and the processes
// that programs have left running.
type beside struct {
	netns map[string]observe.Beside
	files map[effects.File]string // what a file is, in a word
	going map[int]string
}

// lookBeside reads what is beside a state of the lab.
func (l *Lab) lookBeside(ctx context.Context, s *state.State) (*beside, error) {
	b := &beside{netns: make(map[string]observe.Beside, len(s.Namespaces))}
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		if n.Nameless {
			continue
		}
		one, err := observe.LookBeside(ctx, l.world, n)
		if err != nil {
			return nil, err
		}
		b.netns[n.Name] = one
	}
	var err error
	if b.files, err = l.lookAtFiles(s); err != nil {
		return nil, err
	}
	b.going, err = l.world.Going()
	return b, err
}

// lookAtFiles are the entries of /run/netns that are no namespace, and the files below /etc/netns.
func (l *Lab) lookAtFiles(s *state.State) (map[effects.File]string, error) {
	etc, err := l.world.EtcFiles()
	if err != nil {
		return nil, err
	}
	files := make(map[effects.File]string, len(etc))
	for path, what := range etc {
		files[effects.File{Path: path}] = what
	}
	for _, name := range s.NotNamespaces {
		stray, _ := s.Stray(name)
		files[effects.FileOf(name)] = stray.Kind + " " + stray.Target
	}
	return files, nil
}

// ending is how long a process may take to end when what has started it has ended, or was not waited for.
const ending = 500 * time.Millisecond

// linger waits for processes that were not there before and are about to end.
func (l *Lab) linger(ctx context.Context, before, now *beside) (err error) {
	for start := time.Now(); err == nil && now.more(before) && time.Since(start) < paced(ending); {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
			now.going, err = l.world.Going()
		}
	}
	return err
}

// more reports whether there are processes that were not there before.
func (b *beside) more(before *beside) bool {
	for pid := range b.going {
		if before.going[pid] == "" {
			return true
		}
	}
	return false
}

// differences are what changed since an earlier look, in the namespaces that were there then, and in new ones from what
// a namespace was like that nobody had touched, if that is known.
func (b *beside) differences(now *beside, fresh *observe.Beside) (found []state.Difference) {
	for _, name := range slices.Sorted(maps.Keys(now.netns)) {
		old, there := b.netns[name]
		if !there {
			if fresh == nil {
				continue
			}
			old = *fresh
		}
		tell := func(d state.Difference, format string, args ...any) {
			d.Netns, d.Text = name, name+": "+fmt.Sprintf(format, args...)
			found = append(found, d)
		}
		one := now.netns[name]
		if old.Generation != one.Generation {
			tell(state.Difference{Property: "packet filters"}, "the packet filters changed")
		}
		for _, key := range slices.Sorted(maps.Keys(one.Sysctls)) {
			if was, is := old.Sysctls[key], one.Sysctls[key]; was != is && was != "" {
				tell(state.Difference{Before: state.Sysctl{Key: key, Value: was}, After: state.Sysctl{Key: key, Value: is},
					Property: "sysctl"}, "sysctl %s %s, then %s", key, was, is)
			}
		}
		for _, link := range slices.Sorted(maps.Keys(one.Offloads)) {
			if was := cmp.Or(old.Offloads[link], one.Offloads[link]); was != one.Offloads[link] {
				tell(state.Difference{Link: link, After: state.Link{Name: link}, Before: state.Link{Name: link},
					Property: effects.Offloads}, "%s: offloads were switched (ethtool -k %s)", link, link)
			}
		}
	}
	found = append(found, filesChanged(b.files, now.files)...)
	for _, pid := range slices.Sorted(maps.Keys(now.going)) {
		if b.going[pid] == "" {
			found = append(found, state.Difference{Property: "process",
				Text: fmt.Sprintf("a process was left running: %s", now.going[pid])})
		}
	}
	return found
}

// filesChanged are the files that appeared, changed or disappeared.
func filesChanged(before, now map[effects.File]string) (found []state.Difference) {
	all := maps.Clone(before)
	maps.Copy(all, now)
	byPath := func(a, b effects.File) int { return cmp.Compare(a.Path, b.Path) }
	for _, f := range slices.SortedFunc(maps.Keys(all), byPath) {
		was, before := before[f]
		is, after := now[f]
		switch {
		case !before:
			found = append(found, state.Difference{After: f, Text: f.Path + " appeared"})
		case !after:
			found = append(found, state.Difference{Before: f, Text: f.Path + " disappeared"})
		case was != is:
			found = append(found, state.Difference{Before: f, After: f, Property: "file", Text: f.Path + " changed"})
		}
	}
	return found
}
