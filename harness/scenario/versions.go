package scenario

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Versions are the installed versions of `kernel`, `iproute2` and `busybox`, as they report them ("6.18.44-cloud",
// "6.1.0-3"). A missing or empty one is unknown, and no condition on it holds.
type Versions map[string]string

// versionSubjects are the subjects of conditions.
var versionSubjects = []string{"kernel", "iproute2", "busybox"}

// For reports whether the block is for this driver and these versions.
func (b Block) For(driver string, v Versions) bool {
	if len(b.Drivers) > 0 && !slices.Contains(b.Drivers, driver) {
		return false
	}
	for _, c := range b.Conditions {
		if !c.Holds(v) {
			return false
		}
	}
	return true
}

// Holds reports whether the installed version is in the range. Versions are compared by the numeric fields that the
// condition has: `kernel=6.2` and `kernel<=6.2` hold for 6.2.5, `kernel>6.2` does not. Names in a version ("-cloud",
// "-rc1") are ignored; a package revision ("6.1.0-3") counts if both sides have one.
func (c Condition) Holds(v Versions) bool {
	want, ok := parseVersion(c.Version)
	if !ok {
		return false
	}
	have, ok := parseVersion(v[c.Subject])
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
func (c Condition) String() string { return c.Subject + c.Op + c.Version }

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
