package scenario

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Versions says for `kernel`, `iproute2` and `busybox` which version is there, as the program tells it
// ("6.18.44-cloud", "6.1.0-3"). What is missing or "" is unknown, and then no condition on it holds.
type Versions map[string]string

// versionSubjects are the things a block's condition can ask for.
var versionSubjects = []string{"kernel", "iproute2", "busybox"}

// For says whether the block is for this driver and these versions.
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

// Holds says whether the version that is there is in the range. Versions are compared field by field as numbers, as far
// as the condition writes them: `kernel=6.2` and `kernel<=6.2` hold for 6.2.5, `kernel>6.2` does not. Names in a
// version ("-cloud", "-rc1") do not count; a packager's revision ("6.1.0-3") counts where both sides have one.
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

// String is the condition as it stands in an info string.
func (c Condition) String() string { return c.Subject + c.Op + c.Version }

type version struct {
	fields   []uint64
	revision uint64
	revised  bool
}

var versionPattern = regexp.MustCompile(`(?:^|[^A-Za-z0-9.]|\bv)([0-9]+(?:\.[0-9]+)*)(?:-([0-9]+)\b)?`)

// parseVersion reads the first thing in the text that looks like a version; the 2 of iproute2 does not.
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

// compare compares as many fields as want has; missing fields are 0.
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
