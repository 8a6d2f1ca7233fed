package lab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// attributes are the values that the check `the attribute … of … is …` knows of a link, as text.
var attributes = map[string]func(*state.Link) []string{
	"txqueuelen":   func(l *state.Link) []string { return number(l.TxQLen) },
	"alias":        func(l *state.Link) []string { return []string{l.Alias} },
	"group":        func(l *state.Link) []string { return groupNames(l.Group) },
	"altname":      func(l *state.Link) []string { return l.AltNames },
	"promiscuity":  func(l *state.Link) []string { return number(l.Promiscuity) },
	"numtxqueues":  func(l *state.Link) []string { return number(l.NumTx) },
	"numrxqueues":  func(l *state.Link) []string { return number(l.NumRx) },
	"gso_max_size": func(l *state.Link) []string { return number(l.GSOMaxSize) },
	"qdisc":        func(l *state.Link) []string { return []string{l.Qdisc} },
	"operstate":    func(l *state.Link) []string { return []string{strings.ToLower(l.OperState)} },
	"ifindex":      func(l *state.Link) []string { return number(l.Index) },
	"arp":          func(l *state.Link) []string { return []string{word(l.NoARP, "off", "on")} },
}

// attributeIs compares an attribute; of several values (alternative names) one has to be the wanted one.
func (l *Lab) attributeIs(s *state.State, c scenario.AttributeIs) (finding, error) {
	n := s.Namespace(c.Netns)
	if n == nil { // it had a name a moment ago
		return finding{false, noNamespace(s, c.Netns)}, nil
	}
	link := n.Link(c.Name)
	if link == nil {
		return finding{false, noLink(s, n, c.Name)}, nil
	}
	var values []string
	if feature, ok := strings.CutPrefix(c.Attribute, "offload:"); ok {
		on, err := observe.Offload(l.world, c.Netns, link.Name, feature)
		if err != nil {
			return finding{}, fmt.Errorf("read the offload %s of %s in %s: %w", feature, c.Name, c.Netns, err)
		}
		values = []string{word(on, "on", "off")}
	} else if read, ok := attributes[c.Attribute]; ok {
		values = read(link)
	} else {
		return finding{}, fmt.Errorf("not judged: there is no attribute %s", c.Attribute)
	}
	want := c.Value
	if c.Attribute == "operstate" {
		want = strings.ToLower(want)
	}
	return finding{slices.Contains(values, want) != c.Not, fmt.Sprintf("%s is %s", c.Attribute, orNone(strings.Join(values, ", ")))}, nil
}

func number(n int) []string { return []string{strconv.Itoa(n)} }

// groupNames are the number of a group and, of the first, the name that iproute2 gives it (/etc/iproute2/group).
func groupNames(g uint32) []string {
	if g == 0 {
		return []string{"0", "default"}
	}
	return []string{strconv.FormatUint(uint64(g), 10)}
}
