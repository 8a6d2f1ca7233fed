package faults

import (
	"fmt"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// NoNamespace is the cause why a name is not that of a namespace.
func NoNamespace(m *topology.Map, name string) *finding.Cause {
	n := &state.Namespace{Name: name}
	if stray, ok := m.State.Stray(name); ok {
		return notANamespace(n, stray)
	}
	c := finding.New(causes.NoNamespace, n, nil, "there is no namespace %s", name)
	repair := "ip netns add " + words.Quoted(name)
	for _, near := range m.State.Nearest(name) {
		if near.Kind == state.KindNamespace {
			c.Says += "; the nearest name is " + near.Name
			repair = "" // it is misspelt rather than missing
			break
		}
	}
	var names []string
	for _, n := range m.State.Namespaces {
		if n.Name != state.Host {
			names = append(names, n.Name)
		}
	}
	c.Proof("ip netns list: " + strings.Join(names, " "))
	if repair == "" {
		return c.Advise("check the name of the namespace")
	}
	return c.Fix(repair)
}

// notANamespace is the cause for a file in /run/netns that is not a namespace. The repair removes only what certainly
// has no content: an empty file or directory, a symbolic link.
func notANamespace(n *state.Namespace, stray state.Stray) *finding.Cause {
	path := "/run/netns/" + stray.Name
	is := func(format string, args ...any) *finding.Cause {
		return finding.New(causes.NotANamespace, n, nil, "%s is %s", path, fmt.Sprintf(format, args...))
	}
	again := "ip netns add " + words.Quoted(stray.Name)
	removed := func(c *finding.Cause, how string) *finding.Cause { return c.Fix(how+" "+words.Quoted(path), again) }
	kept := func(c *finding.Cause) *finding.Cause {
		return c.Proof("ls -ld "+words.Quoted(path)).Advise("mv "+words.Quoted(path)+" ELSEWHERE", again)
	}
	link := "readlink " + words.Quoted(path) + ": " + stray.Target
	switch stray.Kind {
	case state.StrayFile:
		return removed(is("a file on which no namespace is mounted").
			Proof("stat -f -c %T "+words.Quoted(path)+": not nsfs"),
			"rm")
	case state.StrayDirectory:
		return removed(is("an empty directory, not a namespace").Proof("stat -c %F "+words.Quoted(path)+": directory"),
			"rmdir")
	case state.StrayDangling:
		return removed(is("a link to %s, which does not exist", stray.Target).Proof(link), "rm")
	case state.StrayLink:
		return removed(is("a link to %s, which is no namespace", stray.Target).Proof(link), "rm")
	case state.StrayMount:
		return is("a mount of something other than a network namespace").
			Proof("findmnt " + words.Quoted(path)).Advise("umount " + words.Quoted(path))
	case state.StrayFullFile:
		return kept(is("a file that is not empty, not a namespace"))
	case state.StrayFullDirectory:
		return kept(is("a directory that is not empty, not a namespace"))
	}
	return kept(is("a %s, not a namespace", stray.Kind))
}
