package claim

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// Resolves is `N` resolves `…` to `A`, and `N` does not resolve `…`, in which Addr is not valid.
type Resolves struct {
	Netns, Name string
	Addr        netip.Addr
	Not         bool
}

func init() {
	add(Entry{
		Place: 206,
		Means: "as a program in the namespace would, by its hosts file and its name servers (`getent ahosts`, then " +
			"`getent hosts`); one of several addresses is enough; a server has a second to answer",
		Forms: []Form{
			says("`N` resolves `web.lab` to `10.0.0.2`", func(a arguments) Claim {
				return Resolves{Netns: a.text(0), Name: a.text(1), Addr: a.addr(2)}
			}),
			denies("`N` does not resolve `web.lab`", func(a arguments) Claim {
				return Resolves{Netns: a.text(0), Name: a.text(1), Not: true}
			}),
		},
		Slots: map[string]Slot{
			"web.lab":  asText("the name of a machine", checkHostName),
			"10.0.0.2": plainAddr,
		},
	})
}

var hostName = matching(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`, "the name of a machine")

func checkHostName(text string) error {
	if _, err := netip.ParseAddr(text); err == nil {
		return errors.New("expected the name of a machine, found an address, which resolves to itself")
	}
	_, err := hostName.read(text)
	return err
}

func (c Resolves) Sentence() string {
	if c.Not {
		return say("%s does not resolve %s", c.Netns, c.Name)
	}
	return say("%s resolves %s to %s", c.Netns, c.Name, c.Addr)
}

func (c Resolves) Needs() Needs {
	return Needs{Class: ByProgram, Question: Resolution{Netns: c.Netns, Name: c.Name, Wanted: c.Addr}}
}

func (c Resolves) Judge(known Evidence) Finding {
	names := known.Names
	if len(names.Addrs) == 0 {
		return finding(c.Not, names.Found)
	}
	var found []string
	for _, a := range names.Addrs {
		found = append(found, a.String())
	}
	return finding(!c.Not && slices.Contains(names.Addrs, c.Addr), "it resolves to "+strings.Join(found, ", "))
}

// Mutants change what the namespace reads: its own files, and those of all namespaces, which are covered by a mount.
func (c Resolves) Mutants() Mutants {
	dir := "/etc/netns/" + c.Netns
	if c.Not {
		line := "echo \"192.0.2.77 " + c.Name + "\""
		return Mutants{Own: []Way{
			by("sh -c 'mkdir -p " + dir + "; " + line + " >>" + dir + "/hosts'"),
			by("sh -c '" + line + " >/tmp/hosts; mount --bind /tmp/hosts /etc/hosts'"),
		}, Gone: withoutNetns(c.Netns)}
	}
	var own []Way
	for _, file := range []string{dir + "/hosts", dir + "/resolv.conf"} {
		own = append(own, by("sh -c 'test -e "+file+" && echo >"+file+"'"))
	}
	own = append(own, by("mount --bind /dev/null /etc/hosts"), by("mount --bind /dev/null /etc/resolv.conf"))
	return Mutants{Own: append(own, allDown(c.Netns)), Gone: withoutNetns(c.Netns)}
}
