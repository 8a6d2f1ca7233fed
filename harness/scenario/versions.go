package scenario

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Machine is what the conditions of blocks ask of a machine. Of what is unknown no condition holds.
type Machine struct {
	// Versions are the installed versions of `kernel`, `iproute2` and `busybox`, as they report them ("6.18.44-cloud",
	// "6.1.0-3"). A missing or empty one is unknown.
	Versions map[string]string
	// Features tells of features whether the machine has them. A missing one is unknown.
	Features map[string]bool
}

// versionSubjects are the subjects of conditions on a version, featureSubjects those on a feature.
var (
	versionSubjects = []string{"kernel", "iproute2", "busybox"}
	featureSubjects = []string{with, without}
)

const with, without = "with", "without"

// For reports whether the block is for this driver and this machine.
func (b Block) For(driver string, m Machine) bool {
	_, excluded := b.excludedBy(m)
	return b.isFor(driver) && !excluded
}

// Excluded is the first condition that keeps a block which is for this driver from this machine, if there is one.
func (b Block) Excluded(driver string, m Machine) (Condition, bool) {
	if !b.isFor(driver) {
		return Condition{}, false
	}
	return b.excludedBy(m)
}

func (b Block) isFor(driver string) bool {
	return len(b.Drivers) == 0 || slices.Contains(b.Drivers, driver)
}

func (b Block) excludedBy(m Machine) (Condition, bool) {
	i := slices.IndexFunc(b.Conditions, func(c Condition) bool { return !c.Holds(m) })
	if i < 0 {
		return Condition{}, false
	}
	return b.Conditions[i], true
}

// Feature is the feature that the condition asks for, "" if it is about a version.
func (c Condition) Feature() string {
	if slices.Contains(featureSubjects, c.Subject) {
		return c.Value
	}
	return ""
}

// Holds reports whether the machine has the feature (for `without`: has it not), or whether the installed version is in
// the range. Versions are compared by the numeric fields that the condition has: `kernel=6.2` and `kernel<=6.2` hold
// for 6.2.5, `kernel>6.2` does not. Names in a version ("-cloud", "-rc1") are ignored; a package revision ("6.1.0-3")
// counts if both sides have one.
func (c Condition) Holds(m Machine) bool {
	if feature := c.Feature(); feature != "" {
		has, known := m.Features[feature]
		return known && has == (c.Subject == with)
	}
	want, ok := parseVersion(c.Value)
	if !ok {
		return false
	}
	have, ok := parseVersion(m.Versions[c.Subject])
	if !ok {
		return false
	}
	order := have.compare(want)
	switch c.Op {
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case "<":
		return order < 0
	case "=":
		return order == 0
	}
	return false
}

// String is the condition as written in an info string.
func (c Condition) String() string { return c.Subject + c.Op + c.Value }

type version struct {
	fields   []uint64
	revision uint64
	revised  bool
}

var versionPattern = regexp.MustCompile(`(?:^|[^A-Za-z0-9.]|\bv)([0-9]+(?:\.[0-9]+)*)(?:-([0-9]+)\b)?`)

// parseVersion reads the first version number in the text; the 2 of iproute2 is none.
func parseVersion(text string) (version, bool) {
	m := versionPattern.FindStringSubmatch(text)
	if m == nil {
		return version{}, false
	}
	var v version
	for _, field := range strings.Split(m[1], ".") {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return version{}, false
		}
		v.fields = append(v.fields, n)
	}
	if m[2] != "" {
		n, err := strconv.ParseUint(m[2], 10, 64)
		v.revision, v.revised = n, err == nil
	}
	return v, true
}

// compare compares the fields that want has; missing ones count as 0.
func (v version) compare(want version) int {
	for i, w := range want.fields {
		var have uint64
		if i < len(v.fields) {
			have = v.fields[i]
		}
		if have != w {
			return cmp.Compare(have, w)
		}
	}
	if v.revised && want.revised {
		return cmp.Compare(v.revision, want.revision)
	}
	return 0
}
